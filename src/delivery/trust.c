#include "trust.h"

#include "str.h"

/* OpenSSL's X509_V_ERR_..., as CURLINFO_SSL_VERIFYRESULT gives them. */
enum {
    UNSPECIFIED = 1,
    NO_ISSUER = 2,
    NOT_YET_VALID = 9,
    EXPIRED = 10,
    SELF_SIGNED = 18,
    SELF_SIGNED_IN_CHAIN = 19,
    NO_LOCAL_ISSUER = 20,
    NO_FIRST_SIGNATURE = 21,
};

#define ADVICE_UNKNOWN_CA                                                                          \
    " (the certificate's CA is not known here: check the endpoint; a CA of your own goes into "    \
    "settings.ca_file or the system's certificates)"
#define ADVICE_DATE                                                                                \
    " (the certificate's dates do not fit this machine's clock: check the clock, else the server " \
    "needs a new certificate)"

/* clang-format off */
static const struct {
    long verify_result;
    const char *advice;
} advices[] = {
    /* Libcurl compares the name itself, when the chain was found good and before it asks for the result. */
    {UNSPECIFIED, " (the certificate is another host's: check the endpoint)"},
    {NOT_YET_VALID, ADVICE_DATE},
    {EXPIRED, ADVICE_DATE},
    {NO_ISSUER, ADVICE_UNKNOWN_CA},
    {SELF_SIGNED, ADVICE_UNKNOWN_CA},
    {SELF_SIGNED_IN_CHAIN, ADVICE_UNKNOWN_CA},
    {NO_LOCAL_ISSUER, ADVICE_UNKNOWN_CA},
    {NO_FIRST_SIGNATURE, ADVICE_UNKNOWN_CA},
};
/* clang-format on */

const char *trust_advice(CURL *easy, CURLcode result)
{
    if (result == CURLE_SSL_CACERT_BADFILE)
        return " (check settings.ca_file and the system's CA certificates)";
    if (result != CURLE_PEER_FAILED_VERIFICATION)
        return NULL;
    long verify_result = -1;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify_result);
    for (size_t i = 0; i < countof(advices); i++)
        if (advices[i].verify_result == verify_result)
            return advices[i].advice;
    return " (check the server's certificate and the endpoint)";
}
