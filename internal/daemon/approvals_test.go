package daemon_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// A daemon applies only the plan that enough people have signed, and applies it once.
func TestTheDaemonAppliesWhatIsApproved(t *testing.T) {
	s := newSite(t, registryWorld, "")
	dir := filepath.Dir(s.file)
	keys := map[string]ssh.Signer{}
	var file strings.Builder
	for _, name := range []string{"ana", "ben"} {
		key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat(name[:1], ed25519.SeedSize))))
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = key
		file.WriteString(name + "@x " + string(ssh.MarshalAuthorizedKey(key.PublicKey())))
	}
	if err := os.WriteFile(filepath.Join(dir, "signers"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.write(strings.Replace(daemonConfig, "14d", "7d", 1) + "limits: {max_deletion_percent: 100}\nledger: {dsn: ledger.db}\napprovals: {allowed_signers: signers, required: 2}\n")
	s.options.EnableApply = true
	address := s.start()

	// Nothing is approved, so an apply makes a plan.
	s.apply(address)
	s.until(func() bool { return s.count("msg=\"run finished\"") == 1 })
	var run struct {
		ID, Kind  string
		Steps     int
		Approvals runs.Approvals
		Plan      struct{ ID string }
	}
	s.json(address+"/api/v1/runs/latest", &run)
	if run.Kind != "plan" || run.Steps != 4 || run.Approvals.Missing != 2 || s.deleted() != 0 {
		t.Fatalf("the run without approvals is %+v, and %d deletions were sent", run, s.deleted())
	}
	signed := s.get(address + "/api/v1/plans/" + run.Plan.ID)
	sign := func(name, text string) []byte {
		sig, err := sshsig.Sign(strings.NewReader(text), keys[name], sshsig.HashSHA512, "registry-janitor")
		if err != nil {
			t.Fatal(err)
		}
		return sshsig.Armor(sig)
	}
	path := address + "/api/v1/plans/" + run.Plan.ID + "/signatures"
	for _, c := range []struct {
		what, path string
		body       []byte
		status     int
		want       string
	}{
		{"the signature of something else", path, sign("ana", "something else"), http.StatusBadRequest, "something else"},
		{"an unknown plan", address + "/api/v1/plans/sha256:0/signatures", sign("ana", signed), http.StatusNotFound, "no such plan"},
		{"the first", path, sign("ana", signed), http.StatusCreated, `"missing":1`},
		{"the same again", path, sign("ana", signed), http.StatusCreated, `"missing":1`},
	} {
		if status, body := s.send(c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
	}
	shown := s.get(address + "/")
	for _, want := range []string{"Waits for approvals", "approved by ana@x; 1 of 2 approvals is missing", "registry-janitor approve 1"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	s.apply(address)
	s.until(func() bool { return s.count("msg=\"run finished\"") == 2 })
	if s.deleted() != 0 {
		t.Fatal("one approval of two was enough")
	}

	if status, body := s.send(path, sign("ben", signed)); status != http.StatusCreated || !strings.Contains(body, `"missing":0`) {
		t.Fatalf("the second approval: %d %s", status, body)
	}
	s.apply(address)
	s.until(func() bool { return s.count("msg=\"run finished\"") == 3 })
	if s.deleted() != 4 {
		t.Errorf("with enough approvals, %d deletions were sent", s.deleted())
	}
	s.apply(address)
	s.until(func() bool { return s.count("msg=\"run finished\"") == 4 })
	if s.json(address+"/api/v1/runs/latest", &run); run.Kind != "plan" || s.deleted() != 4 {
		t.Errorf("afterwards the daemon made %+v", run)
	}
}

// apply starts a run, once the one before has ended: that is logged a moment earlier.
func (s *site) apply(address string) {
	s.t.Helper()
	s.until(func() bool {
		status, _ := s.send(address+"/api/v1/apply", nil)
		return status == http.StatusAccepted
	})
}

// send posts a body, and returns the status and the answer.
func (s *site) send(url string, body []byte) (int, string) {
	s.t.Helper()
	response, err := http.Post(url, "text/plain", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}
