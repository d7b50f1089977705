/* Reads requests with oSIP, and answers with what it writes, over UDP: osip PORT */

#include <arpa/inet.h>
#include <osip2/osip.h>
#include <osipparser2/osip_parser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* The 200 to a request, with the headers that RFC 3261 8.2.6.2 wants copied. */
static osip_message_t *answer_to(osip_message_t *request) {
  osip_message_t *answer;
  if (osip_message_init(&answer) != 0) return NULL;
  osip_message_set_version(answer, osip_strdup("SIP/2.0"));
  osip_message_set_status_code(answer, 200);
  osip_message_set_reason_phrase(answer, osip_strdup("OK"));
  osip_from_clone(request->from, &answer->from);
  osip_to_clone(request->to, &answer->to);
  osip_to_set_tag(answer->to, osip_strdup("osip"));
  osip_call_id_clone(request->call_id, &answer->call_id);
  osip_cseq_clone(request->cseq, &answer->cseq);
  for (int i = 0; i < osip_list_size(&request->vias); i++) {
    osip_via_t *copy;
    osip_via_clone(osip_list_get(&request->vias, i), &copy);
    osip_list_add(&answer->vias, copy, -1);
  }
  osip_message_set_server(answer, "oSIP");
  osip_message_set_content_length(answer, "0");
  return answer;
}

int main(int argc, char **argv) {
  osip_t *osip;
  if (argc < 2 || osip_init(&osip) != 0) return 1;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &own.sin_addr);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0) return 1;
  for (;;) {
    char bytes[65536];
    struct sockaddr_in from;
    socklen_t from_length = sizeof from;
    ssize_t length = recvfrom(fd, bytes, sizeof bytes - 1, 0, (void *)&from, &from_length);
    osip_message_t *request;
    if (length <= 0 || osip_message_init(&request) != 0) continue;
    bytes[length] = 0;
    if (osip_message_parse(request, bytes, length) == 0 && MSG_IS_REQUEST(request)) {
      osip_message_fix_last_via_header(request, inet_ntoa(from.sin_addr), ntohs(from.sin_port));
      osip_message_t *answer = answer_to(request);
      char *text;
      size_t text_length;
      if (answer && osip_message_to_str(answer, &text, &text_length) == 0) {
        sendto(fd, text, text_length, 0, (void *)&from, from_length);
        osip_free(text);
      }
      osip_message_free(answer);
    }
    osip_message_free(request);
  }
}
