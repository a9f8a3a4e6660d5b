#include "http_status.h"

/* clang-format off */
static const struct {
    int status;
    struct str type;
    struct str reason;
} statuses[] = {
    {100, STR_INIT("CONTINUE"), STR_INIT("Continue")},
    {101, STR_INIT("SWITCHING_PROTOCOLS"), STR_INIT("Switching Protocols")},
    {102, STR_INIT("PROCESSING"), STR_INIT("Processing")},
    {103, STR_INIT("EARLY_HINTS"), STR_INIT("Early Hints")},
    {200, STR_INIT("OK"), STR_INIT("OK")},
    {201, STR_INIT("CREATED"), STR_INIT("Created")},
    {202, STR_INIT("ACCEPTED"), STR_INIT("Accepted")},
    {203, STR_INIT("NON_AUTHORITATIVE_INFORMATION"), STR_INIT("Non-Authoritative Information")},
    {204, STR_INIT("NO_CONTENT"), STR_INIT("No Content")},
    {205, STR_INIT("RESET_CONTENT"), STR_INIT("Reset Content")},
    {206, STR_INIT("PARTIAL_CONTENT"), STR_INIT("Partial Content")},
    {207, STR_INIT("MULTI_STATUS"), STR_INIT("Multi-Status")},
    {208, STR_INIT("ALREADY_REPORTED"), STR_INIT("Already Reported")},
    {226, STR_INIT("IM_USED"), STR_INIT("IM Used")},
    {300, STR_INIT("MULTIPLE_CHOICES"), STR_INIT("Multiple Choices")},
    {301, STR_INIT("MOVED_PERMENANTLY"), STR_INIT("Moved Permanently")},
    {302, STR_INIT("FOUND"), STR_INIT("Found")},
    {303, STR_INIT("SEE_OTHER"), STR_INIT("See Other")},
    {304, STR_INIT("NOT_MODIFIED"), STR_INIT("Not Modified")},
    {305, STR_INIT("USE_PROXY"), STR_INIT("Use Proxy")},
    {306, STR_INIT("SWITCH_PROXY"), STR_INIT("")},
    {307, STR_INIT("TEMPORARY_REDIRECT"), STR_INIT("Temporary Redirect")},
    {308, STR_INIT("PERMANENT_REDIRECT"), STR_INIT("Permanent Redirect")},
    {400, STR_INIT("BAD_REQUEST"), STR_INIT("Bad Request")},
    {401, STR_INIT("UNAUTHORIZED"), STR_INIT("Unauthorized")},
    {402, STR_INIT("PAYMENT_REQUIRED"), STR_INIT("Payment Required")},
    {403, STR_INIT("FORBIDDEN"), STR_INIT("Forbidden")},
    {404, STR_INIT("NOT_FOUND"), STR_INIT("Not Found")},
    {405, STR_INIT("METHOD_NOT_ALLOWED"), STR_INIT("Method Not Allowed")},
    {406, STR_INIT("NOT_ACCEPTABLE"), STR_INIT("Not Acceptable")},
    {407, STR_INIT("PROXY_AUTHENTICATION_REQUIRED"), STR_INIT("Proxy Authentication Required")},
    {408, STR_INIT("REQUEST_TIMEOUT"), STR_INIT("Request Timeout")},
    {409, STR_INIT("CONFLICT"), STR_INIT("Conflict")},
    {410, STR_INIT("GONE"), STR_INIT("Gone")},
    {411, STR_INIT("LENGTH_REQUIRED"), STR_INIT("Length Required")},
    {412, STR_INIT("PRECONDITION_FAILED"), STR_INIT("Precondition Failed")},
    {413, STR_INIT("PAYLOAD_TOO_LARGE"), STR_INIT("Payload Too Large")},
    {414, STR_INIT("URI_TOO_LONG"), STR_INIT("URI Too Long")},
    {415, STR_INIT("UNSUPPORTED_MEDIA_TYPE"), STR_INIT("Unsupported Media Type")},
    {416, STR_INIT("RANGE_NOT_SATISFIABLE"), STR_INIT("Range Not Satisfiable")},
    {417, STR_INIT("EXPECTATION_FAILED"), STR_INIT("Expectation Failed")},
    {418, STR_INIT("IM_A_TEAPOT"), STR_INIT("I'm a Teapot")},
    {421, STR_INIT("MISDIRECTED_REQUEST"), STR_INIT("Misdirected Request")},
    {422, STR_INIT("UNPROCESSABLE_ENTITY"), STR_INIT("Unprocessable Entity")},
    {423, STR_INIT("LOCKED"), STR_INIT("Locked")},
    {424, STR_INIT("FAILED_DEPENDENCY"), STR_INIT("Failed Dependency")},
    {425, STR_INIT("TOO_EARLY"), STR_INIT("Too Early")},
    {426, STR_INIT("UPGRADE_REQUIRED"), STR_INIT("Upgrade Required")},
    {428, STR_INIT("PRECONDITION_REQUIRED"), STR_INIT("Precondition Required")},
    {429, STR_INIT("TOO_MANY_REQUESTS"), STR_INIT("Too Many Requests")},
    {431, STR_INIT("REQUEST_HEADER_FIELDS_TOO_LARGE"), STR_INIT("Request Header Fields Too Large")},
    {451, STR_INIT("UNAVAILABLE_FOR_LEGAL_REASONS"), STR_INIT("Unavailable For Legal Reasons")},
    {499, STR_INIT("CANCELLED"), STR_INIT("")},
    {500, STR_INIT("INTERNAL_SERVER_ERROR"), STR_INIT("Internal Server Error")},
    {501, STR_INIT("NOT_IMPLEMENTED"), STR_INIT("Not Implemented")},
    {502, STR_INIT("BAD_GATEWAY"), STR_INIT("Bad Gateway")},
    {503, STR_INIT("SERVICE_UNAVAILABLE"), STR_INIT("Service Unavailable")},
    {504, STR_INIT("GATEWAY_TIMEOUT"), STR_INIT("Gateway Timeout")},
    {505, STR_INIT("HTTP_VERSION_NOT_SUPPORTED"), STR_INIT("HTTP Version Not Supported")},
    {506, STR_INIT("VARIANT_ALSO_NEGOTIATES"), STR_INIT("Variant Also Negotiates")},
    {507, STR_INIT("INSUFFICIENT_STORAGE"), STR_INIT("Insufficient Storage")},
    {508, STR_INIT("LOOP_DETECTED"), STR_INIT("Loop Detected")},
    {509, STR_INIT("BANDWIDTH_LIMIT_EXCEEDED"), STR_INIT("Bandwidth Limit Exceeded")},
    {510, STR_INIT("NOT_EXTENDED"), STR_INIT("Not Extended")},
    {511, STR_INIT("NETWORK_AUTHENTICATION_REQUIRED"), STR_INIT("Network Authentication Required")},
    {529, STR_INIT("SITE_IS_OVERLOADED"), STR_INIT("")},
};
/* clang-format on */

struct str http_reason(int status)
{
    for (size_t i = 0; i < countof(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return STR("");
}

struct str http_error_type(int status)
{
    for (size_t i = 0; i < countof(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].type;
    return STR("UNKNOWN_ERROR");
}
