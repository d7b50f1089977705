/**
 * The structs of Linux's socket interface on 64-bit little-endian machines, as offsets in bytes.
 * glibc and musl agree on all of them.
 */

/**
 *     struct mmsghdr {                      struct iovec {
 *         struct msghdr {                       void  *iov_base;     //  0
 *             void   *msg_name;       //  0     size_t iov_len;      //  8
 *             socklen_t msg_namelen;  //  8 };
 *             struct iovec *msg_iov;  // 16
 *             size_t  msg_iovlen;     // 24
 *             void   *msg_control;    // 32
 *             size_t  msg_controllen; // 40
 *             int     msg_flags;      // 48
 *         } msg_hdr;
 *         unsigned int msg_len;       // 56
 *     };
 */
export const MMSGHDR = {
  name: 0,
  nameLength: 8,
  vector: 16,
  vectorLength: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
  bytes: 64,
} as const;

export const IOVEC = { base: 0, length: 8, bytes: 16 } as const;

/**
 *     struct cmsghdr {            // data follows; the next header begins at a multiple of 8
 *         size_t cmsg_len;        //  0, with this header
 *         int    cmsg_level;      //  8
 *         int    cmsg_type;       // 12
 *     };
 */
export const CMSGHDR = { length: 0, level: 8, type: 12, bytes: 16, alignment: 8 } as const;

/**
 *     struct scm_timestamping {   // ts[0] is the software stamp, ts[2] the hardware's
 *         struct timespec ts[3];  // tv_sec 8 bytes, tv_nsec 8 bytes
 *     };
 */
export const SCM_TIMESTAMPING = { seconds: 0, nanoseconds: 8, bytes: 48 } as const;

/**
 *     struct sock_extended_err {  // followed by the address of the router or host that sent the error
 *         __u32 ee_errno;         //  0
 *         __u8  ee_origin;        //  4
 *         __u8  ee_type;          //  5
 *         __u8  ee_code;          //  6
 *         __u8  ee_pad;           //  7
 *         __u32 ee_info;          //  8, the MTU where a packet was too big
 *         __u32 ee_data;          // 12, the number of the send that a stamp belongs to
 *     };
 */
export const EXTENDED_ERROR = {
  errno: 0,
  origin: 4,
  type: 5,
  code: 6,
  info: 8,
  data: 12,
  bytes: 16,
} as const;

/**
 *     struct sockaddr_in {            struct sockaddr_in6 {
 *         sa_family_t sin_family; // 0    sa_family_t sin6_family;   //  0
 *         in_port_t   sin_port;   // 2    in_port_t   sin6_port;     //  2
 *         uint32_t    sin_addr;   // 4    uint32_t    sin6_flowinfo; //  4
 *         char        zero[8];            uint8_t     sin6_addr[16]; //  8
 *     };                                  uint32_t    sin6_scope_id; // 24
 *                                     };
 */
export const SOCKADDR = {
  family: 0,
  port: 2,
  address4: 4,
  bytes4: 16,
  address6: 8,
  bytes6: 28,
  /** Room for either. */
  bytes: 32,
} as const;

/** `struct timespec` of clock_gettime. */
export const TIMESPEC = { seconds: 0, nanoseconds: 8, bytes: 16 } as const;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;
/** The datagram or its control data was longer than the space for it. */
export const MSG_TRUNC = 0x20;
export const CLOCK_REALTIME = 0;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_TIMESTAMPING = 37;
export const SO_RXQ_OVFL = 40;

export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IP_RECVERR = 11;

export const IPPROTO_IPV6 = 41;
export const IPV6_RECVERR = 25;
export const IPV6_V6ONLY = 26;
export const IPV6_TCLASS = 67;

/** linux/net_tstamp.h: software timestamps of sends and arrivals, without the packet. */
export const TIMESTAMPING =
  (1 << 1) | // SOF_TIMESTAMPING_TX_SOFTWARE
  (1 << 3) | // SOF_TIMESTAMPING_RX_SOFTWARE
  (1 << 4) | // SOF_TIMESTAMPING_SOFTWARE
  (1 << 11); // SOF_TIMESTAMPING_OPT_TSONLY
/** Numbers the sends, from 0 when the option is set. */
export const TIMESTAMPING_OPT_ID = 1 << 7;

/** linux/errqueue.h: the origin of an error. */
export const ORIGIN_LOCAL = 1;
export const ORIGIN_ICMP = 2;
export const ORIGIN_ICMP6 = 3;
export const ORIGIN_TIMESTAMPING = 4;
