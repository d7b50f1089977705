/*
 * The far end of the benchmarks: answers every SIP request on one UDP port, on all addresses of this
 * machine, with a 200 that has the headers of the request. It is as cheap as possible, so that the
 * near end is measured.
 *
 * usage: responder PORT        prints "ready"; then, for each line of input, "REQUESTS REPEATS": the
 *                              requests so far, and how many of them were retransmissions
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 2048, CONTROL = 64, SEEN = 1 << 20 };

static const char STATUS[] = "SIP/2.0 200 OK\r\nServer: bench";

/* A retransmission is identical to the request (RFC 3261 17.1.2.2). */
static int is_repeat(const char *bytes, size_t length) {
  static uint64_t seen[SEEN];
  uint64_t hash = 0xcbf29ce484222325u, word;
  for (size_t i = 0; i + sizeof word <= length; i += sizeof word) {
    memcpy(&word, bytes + i, sizeof word);
    hash = (hash ^ word) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  uint64_t *slot = &seen[hash % SEEN];
  if (*slot == hash) return 1;
  *slot = hash;
  return 0;
}

int main(int argc, char **argv) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int on = 1, bytes = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  struct sockaddr_in me = {.sin_family = AF_INET,
                           .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
  if (bind(fd, (struct sockaddr *)&me, sizeof me) != 0) {
    perror("bind");
    return 1;
  }
  puts("ready");
  fflush(stdout);

  static char in[BATCH][SIZE], control[BATCH][CONTROL];
  static struct sockaddr_in from[BATCH];
  static struct iovec requests[BATCH], answers[BATCH][2];
  static struct mmsghdr received[BATCH], sent[BATCH];
  unsigned long total = 0, repeats = 0;
  struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

  while (poll(fds, 2, -1) >= 0) {
    if (fds[1].revents) {
      char line[64];
      if (read(0, line, sizeof line) <= 0) return 0;
      printf("%lu %lu\n", total, repeats);
      fflush(stdout);
    }
    if (!fds[0].revents) continue;
    for (int i = 0; i < BATCH; i++) {
      requests[i] = (struct iovec){in[i], SIZE};
      received[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                            .msg_namelen = sizeof from[i],
                                            .msg_iov = &requests[i],
                                            .msg_iovlen = 1,
                                            .msg_control = control[i],
                                            .msg_controllen = CONTROL};
    }
    int n = recvmmsg(fd, received, BATCH, MSG_DONTWAIT, NULL), out = 0;
    for (int i = 0; i < n; i++) {
      /* Everything after the request line is sent back unchanged. */
      char *headers = memchr(in[i], '\r', received[i].msg_len);
      if (headers == NULL) continue;
      total++;
      repeats += is_repeat(in[i], received[i].msg_len);
      struct msghdr *rx = &received[i].msg_hdr, *tx = &sent[out].msg_hdr;
      answers[out][0] = (struct iovec){(void *)STATUS, sizeof STATUS - 1};
      answers[out][1] = (struct iovec){headers, received[i].msg_len - (headers - in[i])};
      *tx = (struct msghdr){.msg_name = rx->msg_name,
                            .msg_namelen = rx->msg_namelen,
                            .msg_iov = answers[out],
                            .msg_iovlen = 2,
                            .msg_control = rx->msg_control,
                            .msg_controllen = rx->msg_controllen};
      /* Answer from the address that the request was sent to. */
      struct cmsghdr *c = CMSG_FIRSTHDR(rx);
      if (c != NULL) {
        struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);
        info->ipi_spec_dst = info->ipi_addr;
        info->ipi_ifindex = 0;
      }
      out++;
    }
    for (int done = 0; done < out;) {
      int k = sendmmsg(fd, sent + done, out - done, 0);
      if (k <= 0) break;
      done += k;
    }
  }
  return 0;
}
