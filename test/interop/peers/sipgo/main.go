// A server of sipgo that answers OPTIONS over UDP, TCP and WebSocket: sipgo HOST:PORT HOST:WEBSOCKET_PORT

package main

import (
	"context"
	"os"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

func main() {
	ua, err := sipgo.NewUA()
	if err != nil {
		panic(err)
	}
	srv, err := sipgo.NewServer(ua)
	if err != nil {
		panic(err)
	}
	srv.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) {
		tx.Respond(sip.NewResponseFromRequest(req, 200, "OK", nil))
	})
	ctx := context.Background()
	for _, network := range []string{"udp", "tcp", "ws"} {
		address := os.Args[1]
		if network == "ws" {
			address = os.Args[2]
		}
		go func() { panic(srv.ListenAndServe(ctx, network, address)) }()
	}
	select {}
}
