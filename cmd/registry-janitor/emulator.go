package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

func (a *app) emulatorCommand() *cobra.Command {
	var listen, world string
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve an emulator of the Scaleway Container Registry API",
		Long: `Serve an emulator of the Scaleway Container Registry API, for trying out
policies and for tests. Without --world it serves the registry of the demo.

Point any client of the API at it:
  export SCW_API_URL=http://127.0.0.1:8080
  export SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX
  export SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111

GET /_emulator/requests gives the log of what was asked of it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := worlds.Demo(demoSeed)
			if world != "" {
				data, err := os.ReadFile(world)
				if err != nil {
					return fmt.Errorf("reading the world: %w", err)
				}
				if w, err = worlds.Parse(world, data); err != nil {
					return err
				}
			}
			server, err := emulator.New(emulator.Options{World: w})
			if err != nil {
				return err
			}
			return serve(cmd.Context(), listen, server, func(url string) {
				fmt.Fprintf(a.stderr, "emulator: serving at %s\n", url)
			})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "the `ADDRESS` to serve at; port 0 takes a free one")
	cmd.Flags().StringVar(&world, "world", "", "the world `FILE`: what there is in the registry, and what goes wrong with it")
	return cmd
}

// serve serves until the context ends, and tells its address once it does.
func serve(ctx context.Context, listen string, handler http.Handler, ready func(url string)) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	ready("http://" + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
