using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Debug.Describing;

/// <summary>The security policies that a workload is under.</summary>
internal static class PolicyDescription
{
    public static JsonObject Of(WorkloadPolicies policies, IEnumerable<uint> ports)
    {
        var modes = new JsonObject();
        foreach (var port in ports.Distinct().Order())
        {
            if (policies.MutualTls.OfPort(port) is var mode && mode != policies.MutualTls.Mode)
            {
                modes[port.ToString(CultureInfo.InvariantCulture)] = mode.ToString().ToUpperInvariant();
            }
        }

        return new JsonObject
        {
            ["mutualTls"] = policies.MutualTls.Mode.ToString().ToUpperInvariant(),
            ["mutualTlsOfPorts"] = modes,
            ["peerAuthentications"] = new JsonArray([.. policies.Peers.Select(policy => DebugJson.Reference(policy.Source))]),
            ["requestAuthentications"] = new JsonArray([.. policies.Requests.Select(policy =>
            {
                var described = DebugJson.Reference(policy.Source);
                described["issuers"] = DebugJson.Of(policy.Spec.JwtRules.Select(rule => rule.Issuer));
                return described;
            })]),
            ["authorizationPolicies"] = new JsonArray([.. policies.Authorizations.Select(policy =>
            {
                var described = DebugJson.Reference(policy.Source);
                described["action"] = policy.Spec.Action.ToString().ToUpperInvariant();
                described["rules"] = policy.Spec.Rules.Count;
                described["isDryRun"] = DryRun.IsOn(policy.Source);
                return described;
            })]),
        };
    }
}
