using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Debug;

/// <summary>The security policies, or those that a proxy is under.</summary>
internal sealed class AuthorizationPage(DiscoveryServer discovery, ConnectedProxies proxies) : IDebugPage
{
    public string Name => "authorizationz";

    public string Summary => "the policies of security, all or those that a workload is under; ?proxyID=<name>.<namespace>";

    public JsonNode Read(DebugQuery query)
    {
        var policies = discovery.Model.Config.Policies;
        if (query["proxyID"] is not { } name)
        {
            return new JsonObject
            {
                ["authorizationPolicies"] = Describe(policies.AuthorizationPolicies.All),
                ["requestAuthentications"] = Describe(policies.RequestAuthentications.All),
                ["peerAuthentications"] = Describe(policies.PeerAuthentications.All),
            };
        }

        var proxy = proxies.Find(name);
        var own = policies.Of(proxy.Metadata.Namespace, proxy.Metadata.Labels);
        return new JsonObject
        {
            ["proxy"] = proxy.Name,
            ["authorizationPolicies"] = Describe(own.Authorizations),
            ["requestAuthentications"] = Describe(own.Requests),
            ["peerAuthentications"] = Describe(own.Peers),
            ["mutualTls"] = own.MutualTls.Mode.ToString().ToUpperInvariant(),
        };
    }

    private static JsonArray Describe<T>(IEnumerable<PolicyRule<T>> policies)
        where T : IMessage
        => new([.. policies.Select(policy =>
        {
            var described = DebugJson.Reference(policy.Source);
            described["spec"] = DebugJson.SpecOf(policy.Source);
            return described;
        })]);
}
