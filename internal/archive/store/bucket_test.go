package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/internal/archive/target"
)

// s3 is a bucket in memory, path-style.
type s3Server struct {
	t *testing.T

	mu       sync.Mutex
	objects  map[string][]byte
	classes  map[string]string
	answer   func(http.ResponseWriter, *http.Request) bool // instead; may be nil
	calls    []string
	thawing  bool
	plain    bool // stores no checksums
	heedless bool // of conditions, and without ETags
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	s.calls = append(s.calls, r.Method+" "+key)
	if s.answer != nil && s.answer(w, r) {
		return
	}
	switch content, there := s.objects[key]; {
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && s.thawing:
		fail(w, http.StatusConflict, "RestoreAlreadyInProgress")
	case r.Method == http.MethodPost:
		s.thawing = true
		w.WriteHeader(http.StatusAccepted)
	case r.URL.Query().Get("list-type") == "2":
		s.list(w, r.URL.Query().Get("prefix"))
	case !there:
		fail(w, http.StatusNotFound, "NoSuchKey")
	case s.classes[key] == "GLACIER" && r.Method == http.MethodGet:
		fail(w, http.StatusForbidden, "InvalidObjectState")
	default:
		if !s.heedless {
			w.Header().Set("ETag", etag(content))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		if !s.plain {
			w.Header().Set("X-Amz-Checksum-Sha256", sum(content))
		}
		if r.Method == http.MethodGet {
			_, _ = w.Write(content)
		}
	}
}

func (s *s3Server) put(w http.ResponseWriter, r *http.Request, key string) {
	content, err := io.ReadAll(r.Body)
	was, there := s.objects[key]
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	if s.heedless {
		match, none = "", ""
	}
	switch {
	case err != nil:
		return
	case match != "" && (!there || match != etag(was)), none == "*" && there:
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	case !s.plain && strings.HasPrefix(key, "pre/blobs/") && r.Header.Get("X-Amz-Checksum-Sha256") != sum(content):
		fail(w, http.StatusBadRequest, "BadDigest")
		return
	case strings.Contains(r.Header.Get("Authorization"), "secret"):
		s.t.Error("the secret is sent")
	}
	s.objects[key], s.classes[key] = content, r.Header.Get("X-Amz-Storage-Class")
	if !s.heedless {
		w.Header().Set("ETag", etag(content))
	}
}

func (s *s3Server) list(w http.ResponseWriter, prefix string) {
	var b strings.Builder
	for key, content := range s.objects {
		if strings.HasPrefix(key, prefix) {
			fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>2026-11-29T12:00:00Z</LastModified></Contents>", key, len(content))
		}
	}
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>", b.String())
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func etag(content []byte) string { return fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(content))) }

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return base64.StdEncoding.EncodeToString(s[:])
}

// newBucket is a store over a fake bucket.
func newBucket(t *testing.T, parameters string) (*Bucket, *s3Server) {
	t.Helper()
	s := &s3Server{t: t, objects: map[string][]byte{}, classes: map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	at, err := target.Parse("s3://bucket/pre?endpoint=" + server.URL + "&region=fr-par" + parameters)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBucket(at, func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

func blobOf(content string) Blob {
	digest, size, _ := v1.SHA256(strings.NewReader(content))
	return Blob{Digest: digest, Size: size}
}

func opening(content string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }
}

func TestABucketKeepsBlobs(t *testing.T) {
	for name, plain := range map[string]bool{"with checksums": false, "without checksums": true} {
		t.Run(name, func(t *testing.T) {
			b, s := newBucket(t, "&storage_class=ONEZONE_IA")
			s.plain = plain
			blob := blobOf("a layer")
			if err := b.Put(t.Context(), blob, opening("a layer")); err != nil {
				t.Fatal(err)
			}
			key := "pre/blobs/sha256/" + blob.Digest.Hex
			if string(s.objects[key]) != "a layer" || s.classes[key] != "ONEZONE_IA" || string(s.objects["pre/oci-layout"]) != string(layout()) {
				t.Errorf("%q of %q", s.objects, s.classes)
			}
			from, err := b.Open(t.Context(), blob)
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			if content, err := io.ReadAll(Verify(from, blob)); err != nil || string(content) != "a layer" {
				t.Errorf("%q, %v", content, err)
			}
			stored, err := b.Stored(t.Context())
			if err != nil || len(stored) != 1 || stored[0] != (Stored{blob.Digest, blob.Size, time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)}) {
				t.Errorf("%+v, %v", stored, err)
			}
			s.objects[key] = []byte("A layer")
			if there, err := b.Has(t.Context(), blob); there || err != nil {
				t.Errorf("a changed object is there: %v", err)
			}
			if removed, err := b.Remove(t.Context(), blob); err != nil || !removed || s.objects[key] != nil {
				t.Error(err)
			}
		})
	}
}

func TestABucketTakesOnlyWhatHasItsDigest(t *testing.T) {
	b, s := newBucket(t, "")
	blob := blobOf("a layer")
	if err := b.Put(t.Context(), blob, opening("A layer")); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	if there, err := b.Has(t.Context(), blob); there || err != nil || s.objects["pre/blobs/sha256/"+blob.Digest.Hex] != nil {
		t.Errorf("%v, %v", there, err)
	}
}

func TestTheIndexOfABucketIsReplacedOnlyIfItIsKnown(t *testing.T) {
	b, s := newBucket(t, "")
	index, version, err := b.Index(t.Context())
	if index != nil || version != "" || err != nil {
		t.Fatal(string(index), version, err)
	}
	if err := setIndex(t, b, "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SetIndex(t.Context(), []byte("2"), ""); !errors.Is(err, ErrChanged) {
		t.Error(err)
	}
	_, version, _ = b.Index(t.Context())
	if err := setIndex(t, b, "2"); err != nil {
		t.Error(err)
	}
	if _, err := b.SetIndex(t.Context(), []byte("3"), version); !errors.Is(err, ErrChanged) || !bytes.Equal(s.objects["pre/index.json"], []byte("2")) {
		t.Error(err)
	}
}

// setIndex replaces the index as it is. The first write makes one without records before.
func setIndex(t *testing.T, s Store, index string) error {
	t.Helper()
	_, version, err := s.Index(t.Context())
	if err != nil {
		return err
	}
	_, err = s.SetIndex(t.Context(), []byte(index), version)
	if version == "" && errors.Is(err, ErrChanged) {
		return setIndex(t, s, index)
	}
	return err
}

// Whatever a bucket does not do, the index that it has stays.
func TestAnIndexStaysIfItsMarkerIsLost(t *testing.T) {
	for _, heedless := range []bool{false, true} {
		b, s := newBucket(t, "")
		s.heedless = heedless
		s.objects["pre/index.json"] = []byte("records")
		if err := b.Put(t.Context(), blobOf("a layer"), opening("a layer")); err != nil {
			t.Fatal(err)
		}
		index, version, err := b.Index(t.Context())
		if string(index) != "records" || version == "" || err != nil || s.objects["pre/oci-layout"] == nil {
			t.Errorf("%q, %q, %v", index, version, err)
		}
	}
}

// A bucket may take a condition and not heed it, or heed one and not the other.
func TestAnIndexOfAnotherProcessIsNotOverwritten(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"heeds both": nil,
		"heeds none": func(_ http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("If-Match")
			r.Header.Del("If-None-Match")
			return false
		},
		"does not heed that of a change": func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("If-Match"); return false },
		"has none for a change": func(w http.ResponseWriter, r *http.Request) bool {
			has := r.Header.Get("If-Match") != ""
			if has {
				_, _ = io.Copy(io.Discard, r.Body)
				fail(w, http.StatusNotImplemented, "NotImplemented")
			}
			return has
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := newBucket(t, "")
			s.answer = answer
			version, err := b.SetIndex(t.Context(), []byte("ours"), versionIn(t, b))
			if err != nil {
				t.Fatal(err)
			}
			s.objects["pre/index.json"] = []byte("theirs")
			if _, err := b.SetIndex(t.Context(), []byte("ours again"), version); !errors.Is(err, ErrChanged) || string(s.objects["pre/index.json"]) != "theirs" {
				t.Errorf("%v, %s", err, s.objects["pre/index.json"])
			}
		})
	}
}

// What a lifecycle rule must leave out is named.
func TestAnIndexThatIsFrozenIsNamed(t *testing.T) {
	b, s := newBucket(t, "")
	if err := setIndex(t, b, "1"); err != nil {
		t.Fatal(err)
	}
	s.classes["pre/index.json"] = "GLACIER"
	if _, _, err := b.Index(t.Context()); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "index.json was moved to a storage class that must be thawed") {
		t.Error(err)
	}
}

// versionIn is the version of the index that a new archive has.
func versionIn(t *testing.T, b *Bucket) string {
	t.Helper()
	if err := b.mark(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, version, err := b.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestABucketWithoutConditionsIsWrittenAllTheSame(t *testing.T) {
	b, s := newBucket(t, "")
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if conditional := r.Header.Get("If-Match") + r.Header.Get("If-None-Match"); conditional == "" {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		fail(w, http.StatusNotImplemented, "NotImplemented")
		return true
	}
	if err := setIndex(t, b, "1"); err != nil || string(s.objects["pre/index.json"]) != "1" {
		t.Error(err)
	}
}

func TestAFrozenObjectIsThawed(t *testing.T) {
	b, s := newBucket(t, "&storage_class=GLACIER")
	blob := blobOf("a layer")
	if err := b.Put(t.Context(), blob, opening("a layer")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), blob); !errors.Is(err, ErrFrozen) || !strings.Contains(err.Error(), "run the same command again in 12 hours") || !s.thawing {
		t.Error(err)
	}
	if _, err := b.Open(t.Context(), blob); !errors.Is(err, ErrFrozen) { // it is being thawed already
		t.Error(err)
	}
	manifest := blobOf("a manifest")
	manifest.Manifest = true
	if err := b.Put(t.Context(), manifest, opening("a manifest")); err != nil {
		t.Fatal(err)
	}
	if from, err := b.Open(t.Context(), manifest); err != nil {
		t.Errorf("a manifest is frozen: %v", err)
	} else {
		_ = from.Close()
	}
}

func TestWhatABucketAnswersIsExplained(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		code   string
		is     error // nil: it may pass
		remedy string
	}{
		"no right":        {http.StatusForbidden, "AccessDenied", ErrRefused, "check the rights"},
		"no bucket":       {http.StatusNotFound, "NoSuchBucket", ErrRefused, "create it, or correct"},
		"the clock":       {http.StatusForbidden, "RequestTimeTooSkewed", ErrRefused, "set the clock"},
		"a wrong secret":  {http.StatusForbidden, "SignatureDoesNotMatch", ErrRefused, "check AWS_ACCESS_KEY_ID"},
		"an old token":    {http.StatusBadRequest, "ExpiredToken", ErrRefused, "renew AWS_SESSION_TOKEN"},
		"a wrong token":   {http.StatusBadRequest, "InvalidToken", ErrRefused, "renew AWS_SESSION_TOKEN"},
		"elsewhere":       {http.StatusMovedPermanently, "PermanentRedirect", ErrRefused, "correct the endpoint and region"},
		"another region":  {http.StatusBadRequest, "AuthorizationHeaderMalformed", ErrRefused, "correct the region"},
		"a wrong class":   {http.StatusBadRequest, "InvalidStorageClass", ErrRefused, "correct storage_class"},
		"another refusal": {http.StatusBadRequest, "InvalidRequest", ErrRefused, ""},
		"busy":            {http.StatusServiceUnavailable, "SlowDown", nil, ""},
		"a failure":       {http.StatusInternalServerError, "InternalError", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := newBucket(t, "")
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/blobs/") {
					fail(w, row.status, row.code)
					return true
				}
				return false
			}
			err := b.Put(t.Context(), blobOf("a layer"), opening("a layer"))
			if err == nil || !strings.Contains(err.Error(), row.code) || !strings.Contains(err.Error(), row.remedy) || errors.Is(err, ErrRefused) != (row.is != nil) || strings.Contains(err.Error(), "secret") {
				t.Error(err)
			}
			puts := slices.DeleteFunc(s.calls, func(c string) bool { return !strings.HasPrefix(c, "PUT pre/blobs") })
			if len(puts) != 1 {
				t.Errorf("a stream is sent %d times", len(puts))
			}
		})
	}
}

// Only S3 itself can say that there is no index: an archive that is not there must not pass
// for one without records.
func TestWhatIsNoAnswerOfABucketIsNotAnEmptyOne(t *testing.T) {
	xml := func(code string) string { return "<Error><Code>" + code + "</Code><Message>no</Message></Error>" }
	for name, row := range map[string]struct {
		body, remedy string
	}{
		"another key":   {xml("XAdminUserNotFound"), "check AWS_ACCESS_KEY_ID"},
		"an HTML page":  {"<html><head><title>404</title></head><body><hr>nginx</body></html>", "check the endpoint"},
		"a text":        {"default backend - 404", "check the endpoint"},
		"JSON":          {`{"error": "not found"}`, "check the endpoint"},
		"nothing":       {"", "check the endpoint"},
		"another error": {xml("NotFound"), "check the endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := newBucket(t, "")
			s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, row.body)
				return true
			}
			_, _, err := b.Index(t.Context())
			_, opened := b.Open(t.Context(), blobOf("a layer"))
			_, removed := b.Remove(t.Context(), blobOf("a layer"))
			for what, err := range map[string]error{"the index": err, "a blob": opened, "a removal": removed, "a copy": b.Put(t.Context(), blobOf("a layer"), opening("a layer"))} {
				if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), row.remedy) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

func TestABucketNeedsCredentials(t *testing.T) {
	if _, err := NewBucket(target.Target{Kind: target.Bucket, Bucket: "b"}, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Error(err)
	}
}
