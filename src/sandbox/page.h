/* page: the sandbox as a web page, GET /sandbox: profiles, requests, log, data points, limits,
 * faults, all live. */
#ifndef SPELTER_SANDBOX_PAGE_H
#define SPELTER_SANDBOX_PAGE_H

extern const char page_html[]; /* web/page.html; made by the build */

#endif
