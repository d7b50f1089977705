/*
 * The reference: the cost of a ping in C with only sendto and recvfrom. Sends OPTIONS at a constant
 * rate, to as many addresses as there are pings per second, and reads the responses.
 *
 * usage: loop RATE SECONDS PORT      prints "PINGS ANSWERS CPU_MICROSECONDS"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int rate = atoi(argv[1]), seconds = atoi(argv[2]), port = atoi(argv[3]);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), bytes = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  char out[1024], in[2048];
  long sent = 0, answered = 0;
  double start = now(), end = start + seconds;
  struct pollfd pfd = {.fd = fd, .events = POLLIN};
  while (now() < end + 0.5) {
    double t = now();
    long due = t < end ? (long)((t - start) * rate) : sent;
    for (; sent < due; sent++) {
      unsigned a = sent % rate;
      struct sockaddr_in to = {.sin_family = AF_INET,
                               .sin_port = htons(port),
                               .sin_addr.s_addr = htonl(0x7f010001 + a)};
      int n = snprintf(out, sizeof out,
                       "OPTIONS sip:127.%u.%u.%u SIP/2.0\r\n"
                       "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK%032lx;rport\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:keepalive@127.0.0.1>;tag=%016lx\r\n"
                       "To: <sip:127.%u.%u.%u>\r\nCall-ID: %032lx\r\nCSeq: 1 OPTIONS\r\n"
                       "Contact: <sip:keepalive@127.0.0.1:5060>\r\nAccept: application/sdp\r\n"
                       "Allow: OPTIONS\r\nUser-Agent: loop\r\nContent-Length: 0\r\n\r\n",
                       1 + (a >> 16), (a >> 8) & 255, a & 255, sent, sent, 1 + (a >> 16),
                       (a >> 8) & 255, a & 255, sent);
      sendto(fd, out, n, 0, (struct sockaddr *)&to, sizeof to);
    }
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    while (recvfrom(fd, in, sizeof in, 0, (struct sockaddr *)&from, &length) > 0) {
      if (memmem(in, sizeof in, "branch=", 7) != NULL) answered++;
      length = sizeof from;
    }
    poll(&pfd, 1, 1);
  }
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  double cpu = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 + use.ru_utime.tv_usec +
               use.ru_stime.tv_usec;
  printf("%ld %ld %.0f\n", sent, answered, cpu);
  return 0;
}
