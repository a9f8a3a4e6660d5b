/* trust: what to do about a server whose certificate was refused. Any thread. */
#ifndef SPELTER_DELIVERY_TRUST_H
#define SPELTER_DELIVERY_TRUST_H

#include <curl/curl.h>

/* A clause in brackets for the person who can mend it, static. `easy` came to its end
 * with `result`; NULL: that had nothing to do with trust. */
const char *trust_advice(CURL *easy, CURLcode result);

#endif
