package store

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// translate shortens an error of S3 to its status, code and message, and says what to do.
// Only S3 can say that something is not there, not whatever else answers with that status.
func (s *Bucket) translate(err error, what string) error {
	if err == nil {
		return nil
	}
	status := statusOf(err)
	code, said := "", "without an error of S3"
	if answer := smithy.APIError(nil); errors.As(err, &answer) && answer.ErrorCode() != unknownCode {
		code, said = answer.ErrorCode(), strings.TrimSpace(answer.ErrorCode()+": "+answer.ErrorMessage())
	}
	switch {
	case status == 0:
		return fmt.Errorf("the bucket %s could not be reached: %w", s.bucket, errors.Unwrap(err))
	case code == "NoSuchKey", errors.As(err, new(*types.NotFound)): // the answer to a HEAD has no code
		return fmt.Errorf("%s is %w", what, ErrNotFound)
	}
	if isFrozen(err) { // blobs are thawed instead
		return fmt.Errorf("%w: %s was moved to a storage class that must be thawed: copy it back to the standard class, and have the lifecycle rule leave it out", ErrRefused, what)
	}
	if remedy := remedyOf(status, code); remedy != "" {
		return fmt.Errorf("%w: the bucket %s answers %d %s: %s", ErrRefused, s.bucket, status, said, remedy)
	}
	if isRefusal(status) {
		return fmt.Errorf("%w: the bucket %s answers %d %s", ErrRefused, s.bucket, status, said)
	}
	return fmt.Errorf("the bucket %s answers %d %s", s.bucket, status, said)
}

// unknownCode is what the client makes of an answer without a code.
const unknownCode = "UnknownError"

// remedyOf is what to do about an answer; "" if that is not known. The codes are those of
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and of versitygw.
func remedyOf(status int, code string) string {
	switch code {
	case "NoSuchBucket":
		return "create it, or correct the name, endpoint and region in archive.to"
	case "RequestTimeTooSkewed":
		return "set the clock of this machine"
	case "SignatureDoesNotMatch", "InvalidAccessKeyId", "XAdminUserNotFound":
		return "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and the region in archive.to"
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return "renew AWS_SESSION_TOKEN and the keys that belong to it, or unset it if they need none"
	case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return "correct the region in archive.to"
	case "InvalidStorageClass":
		return "correct storage_class in archive.to"
	}
	switch status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return "check the rights of the AWS key"
	case http.StatusNotFound:
		return "check the endpoint in archive.to"
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return "the bucket is elsewhere: correct the endpoint and region in archive.to"
	}
	return ""
}

func statusOf(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

func isFrozen(err error) bool {
	return errors.As(err, new(*types.InvalidObjectState))
}
