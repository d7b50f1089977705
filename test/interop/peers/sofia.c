/* A user agent of Sofia-SIP that answers OPTIONS, as its nua does by itself: sofia sip:HOST:PORT */

#include <sofia-sip/nua.h>
#include <sofia-sip/su.h>

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua,
                     nua_magic_t *magic, nua_handle_t *handle, nua_hmagic_t *handle_magic,
                     sip_t const *sip, tagi_t tags[]) {}

int main(int argc, char **argv) {
  su_init();
  su_root_t *root = su_root_create(NULL);
  if (argc < 2 || !nua_create(root, on_event, NULL, NUTAG_URL(argv[1]), TAG_END())) return 1;
  su_root_run(root);
  return 0;
}
