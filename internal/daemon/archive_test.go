package daemon_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// restoredIndex is the index of an archive with one record, whose tag was restored.
const restoredIndex = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{
	"mediaType":"application/vnd.oci.image.manifest.v1+json","size":2,
	"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
	"annotations":{"org.opencontainers.image.ref.name":"rg.fr-par.scw.cloud/prod/api:pr-0",
		"io.registry-janitor.deleted-at":"2026-11-01T00:00:00Z","io.registry-janitor.until":"2099-11-01T00:00:00Z",
		"io.registry-janitor.restored-at":"2026-11-02T00:00:00Z","io.registry-janitor.restored-as":"rg.fr-par.scw.cloud/prod/api:pr-0"}}]}`

const archiveConfig = daemonConfig + "archive: {to: archive}\n" + `schedules: [{cron: "@yearly", do: plan}]` + "\n"

// fill writes the index of the archive.
func (s *site) fill(index string) {
	s.t.Helper()
	folder := filepath.Join(filepath.Dir(s.file), "archive")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		s.t.Fatal(err)
	}
	for name, text := range map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`, "index.json": index} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

// exports waits until the metrics have one line, and not another.
func (s *site) exports(base, line, not string) {
	s.t.Helper()
	s.until(func() bool {
		text := s.get(base + "/metrics")
		return strings.Contains(text, "registry_janitor_archive_"+line+"\n") && !strings.Contains(text, "registry_janitor_archive_"+not)
	})
}

// What another machine does with the archive is in the metrics after the next run of any
// kind, and what cannot be read is not shown as it was.
func TestTheMetricsHaveTheArchiveAsItIs(t *testing.T) {
	s := newSite(t, registryWorld, archiveConfig)
	s.fill(restoredIndex)
	base := s.start()
	s.exports(base, "restored_tags 1", "last_read_success 0")
	s.fill("nonsense")
	s.post(base+"/api/v1/plan", 202)
	s.exports(base, "last_read_success 0", "restored_tags")
	s.fill(restoredIndex)
	s.post(base+"/-/reload", 200)
	s.exports(base, "restored_tags 1", "last_read_success 0")
	s.write(daemonConfig)
	s.post(base+"/-/reload", 200)
	s.exports(base, "copied_bytes_total 0", "restore")
}

func TestThePageKnowsThePresentArchive(t *testing.T) {
	s := newSite(t, registryWorld, archiveConfig)
	s.fill(restoredIndex)
	s.options.Views.Page = func(w io.Writer, o runs.Overview, _ string) error {
		_, err := io.WriteString(w, "archive="+o.Archive+".")
		return err
	}
	base := s.start()
	for config, want := range map[string]string{archiveConfig: "archive=archive.", daemonConfig: "archive=."} {
		s.write(config)
		s.post(base+"/-/reload", 200)
		if got := s.get(base + "/"); got != want {
			t.Errorf("the page is %s, want %s", got, want)
		}
	}
}

func TestTheArchiveIsReadEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, registryWorld, archiveConfig)
		s.fill("nonsense")
		s.run(3*time.Hour + 30*time.Minute)
		if n := s.count("the archive cannot be read"); n != 4 {
			t.Errorf("it was read %d times: at the start, and then?\n%s", n, s.log)
		}
	})
}

func TestWhatAnotherProcessRestoresShowsWithoutARun(t *testing.T) {
	for name, where := range map[string]string{"in the ledger": "ledger: {dsn: ledger.db}\n", "in the state directory": ""} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, registryWorld, archiveConfig+where)
			base := s.start()
			s.exports(base, `restores_total{result="failed"} 0`, `restores_total{result="failed"} 1`)
			l, err := ledger.Open(t.Context(), filepath.Join(filepath.Dir(s.file), "ledger.db"), ledger.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			for _, result := range []actions.Result{actions.ResultDone, actions.ResultFailed, actions.ResultFailed} {
				if err := l.Restored(t.Context(), ledger.Restore{Ref: "rg.fr-par.scw.cloud/prod/api:pr-0", Result: result}); err != nil {
					t.Fatal(err)
				}
			}
			text := s.get(base + "/metrics")
			for _, line := range []string{`{result="done"} 1`, `{result="failed"} 2`} {
				if !strings.Contains(text, "registry_janitor_archive_restores_total"+line+"\n") {
					t.Errorf("no %s in\n%s", line, text)
				}
			}
		})
	}
}
