package scaleway

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/api/k8s/v1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// Cluster is a cluster of Kubernetes Kapsule or Kosmos.
type Cluster struct{ ID, Name, Region, Status string }

// Clusters returns every cluster of a region that the API key can see, or fails.
func (r *Reader) Clusters(ctx context.Context, region string) ([]Cluster, error) {
	rows, err := listRows(ctx, r, "/k8s/v1/regions/"+region+"/clusters")
	if err != nil {
		return nil, r.fail(ctx, err, "list the clusters in %s", region)
	}
	var clusters []Cluster
	for _, row := range rows {
		if row.Name == "" || row.Status == "" {
			return nil, r.fail(ctx, fmt.Errorf("cluster %s has no name or no status", row.ID), "list the clusters in %s", region)
		}
		clusters = append(clusters, Cluster{ID: row.ID, Name: row.Name, Region: region, Status: row.Status})
	}
	return clusters, nil
}

// Access returns the address of the API server of a cluster, the certificate (PEM) that
// must have signed its own, and a token to read it with. That is the secret key of the
// API key, whose permission sets the cluster knows: the kubeconfig is requested without
// the token of its administrator. Of the kubeconfig nothing else counts, so that it
// cannot start a program or name a file.
func (r *Reader) Access(ctx context.Context, c Cluster) (server string, ca []byte, token string, err error) {
	redacted := true
	kubeconfig, err := k8s.NewAPI(r.client).GetClusterKubeConfig(&k8s.GetClusterKubeConfigRequest{
		Region: scw.Region(c.Region), ClusterID: c.ID, Redacted: &redacted,
	}, scw.WithContext(ctx))
	var sent *url.Error
	switch {
	case errors.As(err, &sent):
		return "", nil, "", r.fail(ctx, err, "get the kubeconfig of the cluster %s", c.Name)
	case err == nil:
		server, ca, token, err = r.access(kubeconfig)
	default: // its text may quote the kubeconfig
		err = errors.New("the API answered with something else")
	}
	if err != nil {
		return "", nil, "", r.fail(ctx, err, "get the kubeconfig of the cluster %s", c.Name)
	}
	return server, ca, token, nil
}

// redactedToken is what the API writes in place of a token.
const redactedToken = "REDACTED"

func (r *Reader) access(kubeconfig *k8s.Kubeconfig) (server string, ca []byte, token string, err error) {
	if len(kubeconfig.Clusters) != 1 || kubeconfig.Clusters[0] == nil || len(kubeconfig.Users) > 1 {
		return "", nil, "", errors.New("it does not have exactly one cluster and one user")
	}
	server = kubeconfig.Clusters[0].Cluster.Server
	address, err := url.Parse(server)
	if err != nil || address.Host == "" || address.User != nil {
		return "", nil, "", errors.New("its server is not a URL")
	}
	host := address.Hostname()
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	switch {
	case address.Scheme == "http" && local: // of an emulator; gets no token
		return server, nil, "", nil
	case address.Scheme != "https":
		return "", nil, "", errors.New("its server is not https")
	}
	ca, err = base64.StdEncoding.DecodeString(kubeconfig.Clusters[0].Cluster.CertificateAuthorityData)
	if err != nil || len(ca) == 0 {
		return "", nil, "", errors.New("its certificate-authority-data is missing or not base64")
	}
	if len(kubeconfig.Users) == 1 && kubeconfig.Users[0] != nil {
		token = kubeconfig.Users[0].User.Token
	}
	if token != "" && token != redactedToken {
		return server, ca, token, nil
	}
	if !local && !strings.HasSuffix(host, ".scw.cloud") {
		return "", nil, "", fmt.Errorf("its server %s is not below scw.cloud: the secret key is not sent there", host)
	}
	return server, ca, r.login.SecretKey, nil
}

// Redact removes the secret key from a text, in every encoding.
func (r *Reader) Redact(text string) string { return r.redact.Text(text) }
