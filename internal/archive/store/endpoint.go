package store

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth"
	transport "github.com/aws/smithy-go/endpoints"
)

// endpoint finds the endpoint of its only bucket once. The client asks for it twice in
// each request, and its own resolver compiles a pattern for each partition of AWS each time:
// a third of the CPU of a request.
type endpoint struct {
	once    sync.Once
	found   transport.Endpoint
	options []*auth.Option
	err     error
}

// ResolveEndpoint returns the endpoint, with options that the client may change.
func (e *endpoint) ResolveEndpoint(ctx context.Context, p s3.EndpointParameters) (transport.Endpoint, error) {
	e.once.Do(func() {
		e.found, e.err = s3.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
		e.options, _ = auth.GetAuthOptions(&e.found.Properties)
	})
	if e.options == nil {
		return e.found, e.err
	}
	options := make([]*auth.Option, 0, len(e.options))
	for _, o := range e.options {
		its := &auth.Option{SchemeID: o.SchemeID}
		its.IdentityProperties.SetAll(&o.IdentityProperties)
		its.SignerProperties.SetAll(&o.SignerProperties)
		options = append(options, its)
	}
	found := e.found
	found.Properties = smithy.Properties{}
	found.Properties.SetAll(&e.found.Properties)
	auth.SetAuthOptions(&found.Properties, options)
	return found, nil
}
