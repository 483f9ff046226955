using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio's admission webhook asks of a VirtualService.</summary>
internal static class VirtualServiceValidator
{
    public const string MeshGateway = "mesh";

    public static void Validate(VirtualService spec, ValidationContext context)
    {
        ValidateHosts(spec, context);
        ValidateGateways(spec.Gateways, "gateways", context);
        FieldRules.ExportTo(spec.ExportTo, context);
        if (spec.Http.Count + spec.Tcp.Count + spec.Tls.Count == 0)
        {
            context.Error("", "has no routes: give http, tcp or tls at least one.");
        }

        for (var i = 0; i < spec.Http.Count; i++)
        {
            HttpRouteValidator.Validate(spec.Http[i], $"http[{i}]", context);
            for (var k = 0; k < spec.Http[i].Match.Count; k++)
            {
                ValidateClaims(spec.Gateways, spec.Http[i].Match[k], $"http[{i}].match[{k}]", context);
            }
        }

        for (var i = 0; i < spec.Tls.Count; i++)
        {
            L4RouteValidator.Validate(spec.Tls[i], spec.Hosts, $"tls[{i}]", context);
        }

        for (var i = 0; i < spec.Tcp.Count; i++)
        {
            L4RouteValidator.Validate(spec.Tcp[i], $"tcp[{i}]", context);
        }
    }

    public static void ValidateGateways(IReadOnlyList<string> gateways, string path, ValidationContext context)
    {
        for (var i = 0; i < gateways.Count; i++)
        {
            var gateway = gateways[i];
            var slash = gateway.IndexOf('/');
            var valid = slash < 0 ? DnsName.IsHost(gateway) : DnsName.IsLabel(gateway.AsSpan(0, slash)) && DnsName.IsHost(gateway.AsSpan(slash + 1));
            if (!valid)
            {
                context.Error($"{path}[{i}]", $"\"{gateway}\" is not a gateway: write its name, namespace/name, or {MeshGateway}.");
            }
        }
    }

    /// <summary>
    /// Tokens are verified where requests come in. On the way out of a workload nothing is known of them: what asks for a claim would never match
    /// there, and what asks for none always would. Istio refuses what is for the mesh alone.
    /// </summary>
    private static void ValidateClaims(IReadOnlyList<string> gateways, HTTPMatchRequest match, string path, ValidationContext context)
    {
        foreach (var (field, headers) in new[] { ("headers", match.Headers), ("withoutHeaders", match.WithoutHeaders) })
        {
            foreach (var name in headers.Keys.Where(name => ClaimHeader.Claims(name) is not null))
            {
                var at = YamlPath.Append($"{path}.{field}", name);
                if (gateways.All(gateway => gateway == MeshGateway))
                {
                    context.Error(at, $"claims are matched by gateways only, and this VirtualService is bound to none: bind it to the gateway that verifies the token, "
                        + "or let the service write the claim to a header (outputClaimToHeaders of its RequestAuthentication) that it passes on, and match that.");
                }
                else if (gateways.Contains(MeshGateway) && (match.Gateways.Count == 0 || match.Gateways.Contains(MeshGateway)))
                {
                    var outcome = field == "headers" ? "never matches" : "says nothing";
                    context.Warn(at, $"{outcome} for the gateway mesh, where no token is verified: name the other gateways in {path}.gateways, or leave mesh to another VirtualService.");
                }
            }
        }
    }

    /// <summary>Without hosts it is a delegate: other VirtualServices take its HTTP routes over.</summary>
    private static void ValidateDelegate(VirtualService spec, ValidationContext context)
    {
        const string reason = "cannot be given without hosts: what has no hosts is a delegate, of which others take over the http routes. Name the hosts, or remove it.";
        foreach (var (given, name) in new[] { (spec.Gateways.Count > 0, "gateways"), (spec.Tls.Count > 0, "tls"), (spec.Tcp.Count > 0, "tcp") })
        {
            if (given)
            {
                context.Error(name, reason);
            }
        }

        for (var i = 0; i < spec.Http.Count; i++)
        {
            if (spec.Http[i].Delegate is not null)
            {
                context.Error($"http[{i}].delegate", "cannot be given in a delegate (a VirtualService without hosts): Istio merges one level only.");
            }
        }
    }

    private static void ValidateHosts(VirtualService spec, ValidationContext context)
    {
        if (spec.Hosts.Count == 0)
        {
            ValidateDelegate(spec, context);
        }

        var mesh = spec.Gateways.Count == 0 || spec.Gateways.Contains(MeshGateway);
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var wildcards = new List<int>();
        for (var i = 0; i < spec.Hosts.Count; i++)
        {
            var host = spec.Hosts[i];
            if (!DnsName.IsWildcardHost(host) && !DnsName.IsAddress(host))
            {
                context.Error($"hosts[{i}]", $"\"{host}\" is not a host: write a DNS name, with * as its first label at most, or an IP address.");
            }
            else if (host == "*" && mesh)
            {
                context.Error($"hosts[{i}]", "\"*\" is not allowed for the gateway mesh: it would take over every host of every workload.");
            }
            else if (!seen.TryAdd(host, i))
            {
                context.Error($"hosts[{i}]", $"\"{host}\" is given twice: keep one.");
            }
            else if (host.StartsWith('*'))
            {
                wildcards.Add(i);
            }
        }

        // A wildcard covers other hosts of the same document: Istio calls these duplicates too.
        foreach (var w in wildcards.Take(64))
        {
            for (var i = 0; i < spec.Hosts.Count; i++)
            {
                if (i != w && spec.Hosts[i].Length > spec.Hosts[w].Length - 1 && spec.Hosts[i].EndsWith(spec.Hosts[w].AsSpan(1), StringComparison.OrdinalIgnoreCase))
                {
                    context.Error($"hosts[{Math.Max(i, w)}]", $"\"{spec.Hosts[w]}\" covers \"{spec.Hosts[i]}\": keep one, or split the VirtualService.");
                }
            }
        }
    }
}
