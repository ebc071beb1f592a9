package web

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// maxSettings bounds a web configuration, and each file that it names, in bytes.
const maxSettings = files.MiB

// settings are the part of a web configuration that decides who may send requests.
type settings struct {
	Users map[string]string `yaml:"basic_auth_users"`
	TLS   toolkit.TLSConfig `yaml:"tls_server_config"`
}

// readSettings reads a web configuration. Exporter-toolkit reads it again, with the
// files that it names, and checks it.
func readSettings(file string) (*settings, error) {
	data, err := files.Read(file, maxSettings)
	if err != nil {
		return nil, err
	}
	s := &settings{}
	if err := yaml.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s.TLS.SetDirectory(filepath.Dir(file))
	for _, named := range []string{s.TLS.TLSCertPath, s.TLS.TLSKeyPath, s.TLS.ClientCAs} {
		if err := files.Check(named, maxSettings); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return s, nil
}

// passwords reports whether every request needs one.
func (s *settings) passwords() bool { return len(s.Users) > 0 }

// certificates reports whether every connection needs one of a client.
func (s *settings) certificates() bool { return s.TLS.ClientAuth == "RequireAndVerifyClientCert" }
