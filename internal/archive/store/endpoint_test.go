package store

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/auth"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// The endpoint that was found once is that of the client's own resolver, whatever the client
// did with the one before.
func TestTheEndpointOfABucketStaysWhatItIs(t *testing.T) {
	for name, p := range map[string]s3.EndpointParameters{
		"in the path": {Bucket: aws.String("bucket"), Region: aws.String("fr-par"), Endpoint: aws.String("http://localhost:7070"), ForcePathStyle: aws.Bool(true)},
		"in the host": {Bucket: aws.String("bucket"), Region: aws.String("eu-west-1")},
		"an error":    {Bucket: aws.String("bucket")},
	} {
		t.Run(name, func(t *testing.T) {
			want, wantErr := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), p)
			e := new(endpoint)
			for range 2 {
				got, err := e.ResolveEndpoint(t.Context(), p)
				if (err == nil) != (wantErr == nil) || got.URI != want.URI || !cmp.Equal(got.Headers, want.Headers, cmpopts.EquateEmpty()) {
					t.Fatalf("%v, %v; want %v, %v", got, err, want, wantErr)
				}
				options, _ := auth.GetAuthOptions(&got.Properties)
				wanted, _ := auth.GetAuthOptions(&want.Properties)
				if len(options) != len(wanted) {
					t.Fatalf("%d options, want %d", len(options), len(wanted))
				}
				for i, o := range options {
					if o.SchemeID != wanted[i].SchemeID || !cmp.Equal(o.SignerProperties.Values(), wanted[i].SignerProperties.Values()) {
						t.Errorf("%+v, want %+v", o, wanted[i])
					}
					o.SchemeID = "changed"
					o.SignerProperties.Set("changed", true)
				}
			}
		})
	}
}
