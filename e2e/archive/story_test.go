package archive

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/registry-janitor/registry-janitor/e2e/program"
	"github.com/registry-janitor/registry-janitor/e2e/registries"
)

const secretKey = "11111111-1111-1111-1111-111111111111"

// world has four tags that are deleted: an index, its signature, and two images.
const world = `
settings: {shared_digest: untag}
namespaces:
  - {name: prod, age: 400d, images: [{name: api, tags: [
      {name: v1, age: 1h, size: 70kB}, {name: "pr-{n}", count: 2, age: 40d, size: 300kB},
      {name: pr-9, digest: M, age: 40d, platforms: [linux/amd64, linux/arm64/v8], size: 200kB},
      {name: "sha256-{digest:M}.sig", age: 40d}]}]}`

// story is a registry and the program, with an archive.
type story struct {
	t                 *testing.T
	binary, dir, host string
	wrap              []string          // what starts the program; may be empty
	before            map[string]string // digests by tag
}

func newStory(t *testing.T, binary, to string) *story {
	t.Helper()
	s := &story{t: t, binary: binary, dir: t.TempDir(), host: registries.StartEmulatorOf(t, binary, world)}
	text := fmt.Sprintf(`scaleway: {registry_url: "http://%s"}
retention: [{name: prs, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]
limits: {max_deletion_percent: 100}
archive: {to: "%s"}
ledger: {dsn: runs.db}
`, s.host, to)
	if err := os.WriteFile(filepath.Join(s.dir, "janitor.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.before = s.digests()
	return s
}

// run runs the program, and returns what it prints and its exit code.
func (s *story) run(args ...string) (output string, code int) {
	s.t.Helper()
	line := append(append(append([]string{}, s.wrap...), s.binary), append(args, "-c", "janitor.yaml")...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_STATE_HOME="+s.dir, "SCW_API_URL=http://"+s.host, "SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY="+secretKey,
		"AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secret)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		s.t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// must runs the program, and fails the test unless it ends with a code and prints some
// words.
func (s *story) must(code int, words string, args ...string) {
	s.t.Helper()
	if output, got := s.run(args...); got != code || !strings.Contains(output, words) {
		s.t.Fatalf("%v ended with %d, want %d and %q:\n%s", args, got, code, words, output)
	}
}

// digests are those of the tags that can be pulled.
func (s *story) digests() map[string]string {
	s.t.Helper()
	login := crane.WithAuth(&authn.Basic{Username: "nologin", Password: secretKey})
	repository := s.host + "/prod/api"
	tags, err := crane.ListTags(repository, login)
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]string{}
	for _, tag := range tags {
		digest, err := crane.Digest(repository+":"+tag, login)
		if err != nil {
			s.t.Fatal(err)
		}
		all[tag] = digest
	}
	return all
}

// mustHave fails the test unless the registry has as many tags, with their digests.
func (s *story) mustHave(n int) {
	s.t.Helper()
	now := s.digests()
	for tag, digest := range now {
		if digest != s.before[tag] {
			s.t.Errorf("%s has the digest %s, and had %s", tag, digest, s.before[tag])
		}
	}
	if len(now) != n {
		s.t.Fatalf("the registry has %d tags, want %d: %v", len(now), n, now)
	}
}

// undo deletes everything with an archive, and brings it back.
func (s *story) undo() {
	s.t.Helper()
	s.must(0, "4 tags archived", "apply", "--yes")
	s.mustHave(1)
	s.must(0, "", "restore", "rg.fr-par.scw.cloud/prod/api:pr-9") // with its signature
	s.mustHave(3)
	s.must(0, "", "restore", "1")
	s.mustHave(5)
}

// The program and the server of the bucket are built once.
func TestUndo(t *testing.T) {
	binary, server := program.Build(t), program.Tool(t, "versitygw")
	inBucket := func(t *testing.T) (*story, *bucket) {
		b := startBucket(t, server)
		return newStory(t, binary, b.to()), b
	}
	t.Run("a directory brings everything back", func(t *testing.T) { newStory(t, binary, "archive").undo() })
	t.Run("a registry brings everything back", func(t *testing.T) {
		newStory(t, binary, "oci://"+registries.StartDockerRegistry(t)+"/backups/registry").undo()
	})
	t.Run("a bucket brings everything back", func(t *testing.T) {
		s, b := inBucket(t)
		s.must(0, "4 tags archived", "apply", "--yes")
		s.mustHave(1)
		// The checksum that the bucket stores is enough.
		if reads, heads := b.count("GET blobs/"), b.count("HEAD blobs/"); reads != 0 || heads == 0 {
			t.Errorf("%d blobs were read back, and of %d the checksum was read", reads, heads)
		}
		s.must(0, "", "restore", "1")
		s.mustHave(5)
	})
	t.Run("a bucket that does not know the key has no empty archive", func(t *testing.T) {
		s, _ := inBucket(t)
		s.wrap = []string{"env", "AWS_ACCESS_KEY_ID=another"}
		s.must(1, "check AWS_ACCESS_KEY_ID", "archive", "list")
	})
	t.Run("what was changed in a bucket is refused", func(t *testing.T) { changed(inBucket(t)) })
	t.Run("a bucket that gets other bytes refuses them", func(t *testing.T) { otherBytes(inBucket(t)) })
	t.Run("a bucket in trouble", func(t *testing.T) { inTrouble(t, inBucket) })
	t.Run("when the disk is full, nothing is deleted", func(t *testing.T) { full(newStory(t, binary, "full")) })
}

func changed(s *story, b *bucket) {
	s.must(0, "4 tags archived", "apply", "--yes")
	paths, err := filepath.Glob(filepath.Join(b.objects, "registry", "blobs", "sha256", "*"))
	if err != nil || len(paths) == 0 {
		s.t.Fatalf("the bucket has no blobs: %v", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(content) < 100_000 {
			continue
		}
		content[len(content)/2] ^= 1
		if err := os.WriteFile(path, content, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	// The registry still has the layers of its own image.
	s.must(1, "does not have its digest", "restore", "rg.fr-par.scw.cloud/prod/api:pr-1", "--as", "rg.fr-par.scw.cloud/prod/other:pr-1")
	s.mustHave(1)
}

func otherBytes(s *story, b *bucket) {
	b.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
			r.Body = flipped{r.Body}
		}
		return false
	})
	s.must(1, "it cannot be archived", "apply", "--yes")
	s.mustHave(5)
}

// inTrouble waits for faults that pass, and deletes nothing when they do not.
func inTrouble(t *testing.T, inBucket func(*testing.T) (*story, *bucket)) {
	for name, row := range map[string]struct {
		method string
		times  int
		fault  http.HandlerFunc
		words  string // of the tags that stay; "" if none does
	}{
		"two failures":            {"PUT", 2, fail(http.StatusInternalServerError, "InternalError"), ""},
		"too many requests twice": {"PUT", 2, fail(http.StatusServiceUnavailable, "SlowDown"), ""},
		"two cut connections":     {"PUT", 2, cut, ""},
		"a failure of a head":     {"HEAD", 1, fail(http.StatusInternalServerError, "InternalError"), ""},
		"nothing but failures":    {"PUT", -1, fail(http.StatusInternalServerError, "InternalError"), "InternalError"},
		"nothing but SlowDown":    {"PUT", -1, fail(http.StatusServiceUnavailable, "SlowDown"), "SlowDown"},
		"no right to write":       {"PUT", -1, fail(http.StatusForbidden, "AccessDenied"), "check the rights of the AWS key"},
	} {
		t.Run(name, func(t *testing.T) {
			s, b := inBucket(t)
			b.breakWith(row.method, row.times, row.fault)
			if row.words == "" {
				s.must(0, "4 tags archived", "apply", "--yes")
				s.mustHave(1)
				return
			}
			s.must(1, row.words, "apply", "--yes")
			s.mustHave(5)
		})
	}
}

func full(s *story) {
	unshare := []string{program.Find(s.t, "unshare", "util-linux"), "--user", "--map-root-user", "--mount"}
	if output, err := exec.Command(unshare[0], append(unshare[1:], "true")...).CombinedOutput(); err != nil {
		s.t.Skipf("this machine has no user namespaces: %v: %s", err, output)
	}
	s.wrap = append(unshare, "sh", "-c", `mkdir -p full && mount -t tmpfs -o size=100k none full && exec "$@"`, "sh")
	s.must(1, "no space left on device", "apply", "--yes")
	if now := s.digests(); len(now) < 4 { // the signature is small enough
		s.t.Errorf("%v", now)
	}
}
