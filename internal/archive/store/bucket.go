package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/registry-janitor/registry-janitor/internal/archive/target"
	"github.com/registry-janitor/registry-janitor/internal/stall"
)

// Bucket is a Store in a bucket of S3.
type Bucket struct {
	unlocked

	client         *s3.Client
	bucket, prefix string
	class          types.StorageClass // of configs and layers; manifests are always at hand
	// compares: the bucket writes whatever the condition, or may, so what is there is compared
	// before. Only mark changes it.
	compares bool

	marking
}

// NewBucket is the store at a target, with the credentials of the AWS variables, which
// getenv reads. It sends no request.
func NewBucket(t target.Target, getenv func(string) string) (*Bucket, error) {
	key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		return nil, errors.New("the credentials of the bucket are missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	o := s3.Options{
		Region:             cmp.Or(t.Region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
		Credentials:        aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN"))),
		UsePathStyle:       t.Endpoint != "",
		HTTPClient:         &http.Client{Transport: &stall.Transport{Base: stall.Connections()}},
		EndpointResolverV2: new(endpoint),
	}
	if t.Endpoint != "" {
		o.BaseEndpoint = aws.String(t.Endpoint)
	}
	return &Bucket{client: s3.New(o), bucket: t.Bucket, prefix: t.Prefix, class: types.StorageClass(t.StorageClass)}, nil
}

// Has trusts the SHA-256 checksum that the bucket stores with an object, and hashes an
// object that has none.
func (s *Bucket) Has(ctx context.Context, b Blob) (bool, error) {
	head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.key(b.Digest), ChecksumMode: types.ChecksumModeEnabled})
	switch err = s.translate(err, b.Digest.String()); {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case aws.ToInt64(head.ContentLength) != b.Size:
		return false, nil
	case head.ChecksumSHA256 != nil && head.ChecksumType != types.ChecksumTypeComposite:
		return *head.ChecksumSHA256 == checksum(b.Digest), nil
	}
	from, err := s.open(ctx, b)
	if isFrozen(err) { // as a copy may be that was just made
		return false, fmt.Errorf("%w: the bucket %s stores no SHA-256 checksums, so %s must be read back, which its storage class does not allow: use another class, or a bucket that stores checksums", ErrRefused, s.bucket, b.Digest)
	}
	if err != nil {
		return false, err
	}
	defer from.Close()
	if _, err = io.Copy(io.Discard, Verify(from, b)); errors.Is(err, ErrDamaged) {
		return false, nil
	}
	return err == nil, err
}

// Put sends the blob with its digest as the checksum, which the bucket must confirm.
func (s *Bucket) Put(ctx context.Context, b Blob, open func() (io.ReadCloser, error)) error {
	if b.Size > maxObject {
		return fmt.Errorf("%w: %s has %d bytes, but an object can have at most 5 GiB", ErrRefused, b.Digest, b.Size)
	}
	if err := s.mark(ctx); err != nil {
		return err
	}
	from, err := open()
	if err != nil {
		return err
	}
	defer from.Close()
	body := &noting{Reader: Verify(from, b)}
	input := &s3.PutObjectInput{
		Bucket: &s.bucket, Key: s.key(b.Digest), Body: body, ContentLength: &b.Size, ChecksumSHA256: aws.String(checksum(b.Digest)),
	}
	if !b.Manifest {
		input.StorageClass = s.class
	}
	_, err = s.client.PutObject(ctx, input, once(b.Digest))
	_ = from.Close()                       // the check needs no room
	if cause := body.err(); cause != nil { // of what the connection reports
		return cause
	}
	if err = s.translate(err, b.Digest.String()); err != nil {
		return err
	}
	there, err := s.Has(ctx, b)
	if err == nil && !there {
		err = fmt.Errorf("the bucket stored another checksum: the copy of %s %w", b.Digest, ErrDamaged)
	}
	return err
}

// maxObject is how large an object may be that one request stores.
const maxObject = 5 << 30

// once sends a body that cannot be read twice: once, and signed by the digest that it
// must have.
func once(digest v1.Hash) func(*s3.Options) {
	hash := middleware.FinalizeMiddlewareFunc("KnownPayloadHash", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		return next.HandleFinalize(v4.SetPayloadHash(ctx, digest.Hex), in)
	})
	return func(o *s3.Options) {
		o.RetryMaxAttempts = 1
		o.APIOptions = append(o.APIOptions,
			func(stack *middleware.Stack) error { return stack.Finalize.Add(hash, middleware.Before) },
		)
	}
}

// mark makes the prefix an image layout: with an index without records first, so that a
// marker without an index shows that an index was lost. It also finds out whether the bucket
// heeds the condition of a write.
func (s *Bucket) mark(ctx context.Context) error {
	return s.once(ctx, s.isReady, s.setMark)
}

func (s *Bucket) isReady(ctx context.Context) (bool, error) {
	there, err := s.hasMark(ctx)
	if err != nil || !there {
		return false, err
	}
	return true, s.probe(ctx)
}

func (s *Bucket) setMark(ctx context.Context) error {
	_, version, err := s.Index(ctx) // not every bucket heeds a condition
	if err == nil && version == "" {
		_, err = s.putIndex(ctx, emptyIndex(), "")
	}
	if err != nil && !errors.Is(err, ErrChanged) { // another process may have written one
		return err
	}
	if _, err = s.client.PutObject(ctx, s.marker()); err != nil {
		return s.translate(err, layoutFile)
	}
	return s.probe(ctx)
}

// probe writes the marker again if it were another, which a bucket that heeds conditions
// refuses.
func (s *Bucket) probe(ctx context.Context) error {
	again := s.marker()
	again.IfMatch = aws.String(`"0"`)
	_, err := s.client.PutObject(ctx, again)
	status := statusOf(err)
	if s.compares = status != http.StatusPreconditionFailed && status != http.StatusConflict; err == nil || isRefusal(status) || status == http.StatusNotImplemented {
		return nil
	}
	return s.translate(err, layoutFile)
}

func (s *Bucket) marker() *s3.PutObjectInput {
	return &s3.PutObjectInput{Bucket: &s.bucket, Key: s.name(layoutFile), Body: bytes.NewReader(layout()), ContentType: aws.String("application/json")}
}

func (s *Bucket) hasMark(ctx context.Context) (bool, error) {
	_, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: s.name(layoutFile)})
	if err = s.translate(err, layoutFile); errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Open reads an object. One in a storage class that must be thawed is thawed first:
// that takes hours.
func (s *Bucket) Open(ctx context.Context, b Blob) (io.ReadCloser, error) {
	from, err := s.open(ctx, b)
	if isFrozen(err) {
		return nil, s.thaw(ctx, b.Digest)
	}
	return from, err
}

func (s *Bucket) open(ctx context.Context, b Blob) (io.ReadCloser, error) {
	object, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: s.key(b.Digest)})
	if isFrozen(err) {
		return nil, err
	}
	if err := s.translate(err, b.Digest.String()); err != nil {
		return nil, err
	}
	return object.Body, nil
}

// thawedDays is how long a thawed object stays at hand.
const thawedDays = 3

func (s *Bucket) thaw(ctx context.Context, digest v1.Hash) error {
	_, err := s.client.RestoreObject(ctx, &s3.RestoreObjectInput{
		Bucket: &s.bucket, Key: s.key(digest),
		RestoreRequest: &types.RestoreRequest{Days: aws.Int32(thawedDays), GlacierJobParameters: &types.GlacierJobParameters{Tier: types.TierStandard}},
	})
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "RestoreAlreadyInProgress" {
		err = nil
	}
	if err != nil {
		return s.translate(err, digest.String())
	}
	return fmt.Errorf("%s is in a storage class that must be thawed, and is %w: run the same command again in 12 hours, and within %d days", digest, ErrFrozen, thawedDays)
}

// Index reads index.json. Its version is the ETag, or its hash if it has none.
func (s *Bucket) Index(ctx context.Context) (index []byte, version string, err error) {
	object, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: s.name("index.json")})
	if err = s.translate(err, "index.json"); errors.Is(err, ErrNotFound) {
		had, err := s.hasMark(ctx)
		if had {
			err = errNoIndex
		}
		return nil, "", err
	}
	if err != nil {
		return nil, "", err
	}
	defer object.Body.Close()
	index, err = io.ReadAll(object.Body)
	return index, cmp.Or(aws.ToString(object.ETag), versionOf(index)), err
}

// SetIndex replaces index.json by a conditional write. Where the bucket heeds no condition, it
// compares before it writes.
func (s *Bucket) SetIndex(ctx context.Context, index []byte, version string) (string, error) {
	if err := s.mark(ctx); err != nil {
		return "", err
	}
	return s.putIndex(ctx, index, version)
}

func (s *Bucket) putIndex(ctx context.Context, index []byte, version string) (string, error) {
	input := &s3.PutObjectInput{Bucket: &s.bucket, Key: s.name("index.json"), Body: bytes.NewReader(index), ContentType: aws.String("application/json")}
	switch {
	case s.compares:
		if _, now, err := s.Index(ctx); err != nil || now != version {
			return "", cmp.Or(err, ErrChanged)
		}
	case version == "":
		input.IfNoneMatch = aws.String("*")
	default:
		input.IfMatch = &version
	}
	put, err := s.client.PutObject(ctx, input, func(o *s3.Options) { o.RetryMaxAttempts = 1 })
	switch statusOf(err) {
	case http.StatusPreconditionFailed, http.StatusConflict:
		return "", ErrChanged
	case http.StatusNotImplemented:
		s.compares = true
		return s.putIndex(ctx, index, version)
	}
	if err != nil {
		return "", s.translate(err, "index.json")
	}
	return cmp.Or(aws.ToString(put.ETag), versionOf(index)), nil
}

// Stored lists the objects of blobs.
func (s *Bucket) Stored(ctx context.Context) ([]Stored, error) {
	all := []Stored{}
	folder := *s.name("blobs/sha256") + "/"
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &folder})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.translate(err, folder)
		}
		for _, object := range page.Contents {
			digest, err := v1.NewHash("sha256:" + strings.TrimPrefix(aws.ToString(object.Key), folder))
			if err == nil {
				all = append(all, Stored{digest, aws.ToInt64(object.Size), aws.ToTime(object.LastModified)})
			}
		}
	}
	return all, nil
}

// Remove removes the object of the blob.
func (s *Bucket) Remove(ctx context.Context, b Blob) (bool, error) {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: s.key(b.Digest)})
	if err = s.translate(err, b.Digest.String()); errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// key is made of a digest alone.
func (s *Bucket) key(digest v1.Hash) *string {
	return s.name("blobs/" + digest.Algorithm + "/" + digest.Hex)
}

func (s *Bucket) name(file string) *string { return aws.String(path.Join(s.prefix, file)) }

// checksum is a digest as S3 writes it.
func checksum(digest v1.Hash) string {
	raw, _ := hex.DecodeString(digest.Hex) // v1.NewHash has checked it
	return base64.StdEncoding.EncodeToString(raw)
}
