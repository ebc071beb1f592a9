package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// finder looks for what a configuration names on this machine, so that everything that
// is missing is reported at once, with the other problems.
type finder struct {
	*Config
	unneeded []string
}

// find returns what is wrong with other files of the configuration.
func (f finder) find() strictyaml.Problems {
	for i, p := range f.Policies {
		f.file(fmt.Sprintf("policies[%d]", i), p.Path, "name a folder, a .rego file or a bundle; "+relativeHint)
	}
	f.file("policy.verification_key", f.Policy.VerificationKey, "name the file with the public key, in PEM; "+relativeHint)
	if f.Protect.ReferencesFile != StandardInput && !f.Protect.Optional.References {
		f.file("protect.references_file", f.Protect.ReferencesFile, "write the references in use into it, or write {path: FILE, required: false}; "+relativeHint)
	}
	for i := range f.Protect.Kubernetes {
		if k := &f.Protect.Kubernetes[i]; k.Required {
			f.file(fmt.Sprintf("protect.kubernetes[%d].kubeconfig", i), k.Kubeconfig, "put the kubeconfig there, or add required: false; "+relativeHint)
		}
	}
	f.ledger()
	f.signers()
	return f.waivers()
}

const relativeHint = "relative paths begin at the folder of this file"

// wants reports whether a key is given and right, and the caller needs what it names.
func (f finder) wants(key string) bool {
	return f.document.Given(key) && f.document.Clean(key) && !slices.ContainsFunc(f.unneeded, func(u string) bool {
		return key == u || strings.HasPrefix(key, u+".") || strings.HasPrefix(key, u+"[")
	})
}

// file reports a path that leads nowhere.
func (f finder) file(key, path, hint string) {
	if path == "" || !f.wants(key) {
		return
	}
	if _, err := os.Stat(f.Resolve(path)); err != nil {
		f.document.Report(key, "cannot be read: "+err.Error(), hint)
	}
}

// ledger reads the DSN from where the configuration says, and looks for the folder of a
// SQLite ledger. It never quotes a DSN, which may have a password.
func (f finder) ledger() {
	key := "ledger.dsn"
	switch {
	case f.wants("ledger.dsn_env"):
		key = "ledger.dsn_env"
		f.foundDSN = os.Getenv(f.Ledger.DSNEnv)
		if f.foundDSN == "" {
			f.document.Report(key, fmt.Sprintf("the environment variable %s is not set, or empty", f.Ledger.DSNEnv), "set it to postgres://… or the path of a SQLite file")
			return
		}
	case f.wants("ledger.dsn_file"):
		key = "ledger.dsn_file"
		data, err := files.Read(f.Resolve(f.Ledger.DSNFile), maxDSN)
		f.foundDSN = strings.TrimSpace(string(data))
		if err != nil || f.foundDSN == "" {
			if err == nil {
				err = errors.New("the file is empty")
			}
			f.document.Report(key, "cannot be read: "+err.Error(), "write postgres://… or the path of a SQLite file into it; "+relativeHint)
			return
		}
	case !f.wants(key):
		return
	}
	if message, hint := checkDSN(f.foundDSN); message != "" {
		f.document.Report(key, "what it names "+message, hint)
		return
	}
	dsn := f.LedgerDSN()
	if dsn == "" || strings.Contains(dsn, "://") {
		return
	}
	folder := filepath.Dir(dsn)
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		f.document.Report(key, "is in a folder that does not exist: "+strictyaml.Quote(folder), "create it: mkdir -p "+folder+"; "+relativeHint)
	} else if err == nil && !info.IsDir() {
		f.document.Report(key, "is not in a folder: "+strictyaml.Quote(folder), "name a file in a folder; "+relativeHint)
	} else if info, err := os.Stat(dsn); err == nil && info.IsDir() {
		f.document.Report(key, "is a folder", "name a file in it, such as "+filepath.Join(dsn, "ledger.db"))
	}
}

// maxDSN bounds the file of a DSN, in bytes.
const maxDSN = 64 << 10
