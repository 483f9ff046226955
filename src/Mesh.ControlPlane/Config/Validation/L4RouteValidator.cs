using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>TCP and TLS routes.</summary>
internal static class L4RouteValidator
{
    public static void Validate(TCPRoute route, string path, ValidationContext context)
    {
        for (var i = 0; i < route.Match.Count; i++)
        {
            var match = route.Match[i];
            Match(match.DestinationSubnets, match.Port, match.SourceLabels, match.Gateways, $"{path}.match[{i}]", context);
            if (match.SourceSubnet.Length > 0 && !DnsName.IsSubnet(match.SourceSubnet))
            {
                context.Error($"{path}.match[{i}].sourceSubnet", $"\"{match.SourceSubnet}\" is neither an IP address nor a CIDR.");
            }
        }

        Routes(route.Route, path, context);
    }

    public static void Validate(TLSRoute route, IReadOnlyList<string> hosts, string path, ValidationContext context)
    {
        if (route.Match.Count == 0)
        {
            context.Error($"{path}.match", "is required: give at least one match with sniHosts.");
        }

        for (var i = 0; i < route.Match.Count; i++)
        {
            var match = route.Match[i];
            if (match.SniHosts.Count == 0)
            {
                context.Error($"{path}.match[{i}].sniHosts", "is required: name at least one host of the VirtualService.");
            }

            for (var j = 0; j < match.SniHosts.Count; j++)
            {
                var sni = match.SniHosts[j];
                if (!hosts.Any(host => Covers(host, sni)))
                {
                    context.Error(
                        $"{path}.match[{i}].sniHosts[{j}]",
                        $"\"{sni}\" is not within the hosts of the VirtualService ({string.Join(", ", hosts.Take(5))}).");
                }
            }

            Match(match.DestinationSubnets, match.Port, match.SourceLabels, match.Gateways, $"{path}.match[{i}]", context);
        }

        Routes(route.Route, path, context);
    }

    private static void Match(
        IReadOnlyList<string> subnets,
        uint port,
        IEnumerable<KeyValuePair<string, string>> labels,
        IReadOnlyList<string> gateways,
        string path,
        ValidationContext context)
    {
        for (var i = 0; i < subnets.Count; i++)
        {
            if (!DnsName.IsSubnet(subnets[i]))
            {
                context.Error($"{path}.destinationSubnets[{i}]", $"\"{subnets[i]}\" is neither an IP address nor a CIDR.");
            }
        }

        if (port != 0)
        {
            FieldRules.Port(port, $"{path}.port", context);
        }

        LabelValidator.Validate(labels, $"{path}.sourceLabels", context);
        VirtualServiceValidator.ValidateGateways(gateways, $"{path}.gateways", context);
    }

    private static bool Covers(string host, string sni)
        => host.StartsWith('*')
            ? sni.EndsWith(host.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : host.Equals(sni, StringComparison.OrdinalIgnoreCase);

    private static void Routes(IReadOnlyList<RouteDestination> routes, string path, ValidationContext context)
    {
        if (routes.Count == 0)
        {
            context.Error($"{path}.route", "is required: name at least one destination.");
        }

        RouteDestinationValidator.ValidateAll([.. routes.Select(r => ((Destination?)r.Destination, r.Weight))], $"{path}.route", context);
    }
}
