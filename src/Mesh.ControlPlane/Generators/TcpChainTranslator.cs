using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Google.Protobuf.Collections;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// The filter chains of one port of a service: its <c>tls</c> routes where TLS is spoken, its <c>tcp</c> routes elsewhere. What of a match
/// is known when they are made (port, gateway, who is asking) decides here; SNI and addresses are left to the listener.
/// </summary>
internal sealed class TcpChainTranslator(Proxy proxy, ConfigIndex config, TcpListenerTarget target, bool isOwnAddress)
{
    private readonly MeshService _service = target.Service;
    private readonly uint _port = target.Port.Number;
    private readonly TcpProxyTranslator _filters = new(proxy, config, target.Port.Number);
    private readonly List<FilterChain> _chains = [];

    /// <summary>The chains in their order; one without conditions is for all that the others do not take.</summary>
    public IReadOnlyList<FilterChain> Translate(IReadOnlyList<VirtualServiceRule> rules)
    {
        if (target.Port.Protocol.IsTls())
        {
            AddTls(rules);
        }
        else if (target.Port.Protocol is PortProtocol.Tcp or PortProtocol.Auto)
        {
            AddTcp(rules);
        }
        else
        {
            // What is declared as HTTP has no other rules; whoever carries it as it is (a handler's ConnectCallback) gets to the service.
            Add(null, _filters.ToService(ServiceKey), [], OwnSubnets);
        }

        return _chains;
    }

    private IEnumerable<string> OwnSubnets => target.Subnet is { } subnet ? [subnet] : [];

    private void AddTls(IReadOnlyList<VirtualServiceRule> rules)
    {
        foreach (var rule in rules)
        {
            foreach (var route in rule.Spec.Tls)
            {
                foreach (var match in route.Match)
                {
                    if (AppliesTo(match.Port, match.Gateways, match.SourceLabels, match.SourceNamespace)
                        && _filters.ToDestinations(rule, route.Route) is { } filters)
                    {
                        Add(rule, filters, match.SniHosts, match.DestinationSubnets.Count > 0 ? match.DestinationSubnets : OwnSubnets);
                    }
                }
            }
        }

        if (_chains.Count == 0)
        {
            // Where others may share the address, only the name in the handshake tells services apart.
            Add(null, _filters.ToService(ServiceKey), isOwnAddress ? [] : [_service.Host], OwnSubnets);
        }
    }

    private void AddTcp(IReadOnlyList<VirtualServiceRule> rules)
    {
        foreach (var rule in rules)
        {
            foreach (var route in rule.Spec.Tcp)
            {
                if (_filters.ToDestinations(rule, route.Route) is not { } filters)
                {
                    continue;
                }

                if (route.Match.Count == 0)
                {
                    Add(rule, filters, [], OwnSubnets);
                    return;
                }

                // Destinations of one route are ORed, and end up in one chain; an origin stands for itself.
                var destinations = new List<string>();
                foreach (var match in route.Match.Where(match => AppliesTo(match.Port, match.Gateways, match.SourceLabels, match.SourceNamespace)))
                {
                    if (match.SourceSubnet.Length > 0)
                    {
                        Add(rule, filters, [], match.DestinationSubnets.Count > 0 ? match.DestinationSubnets : OwnSubnets, match.SourceSubnet);
                    }
                    else if (match.DestinationSubnets.Count > 0)
                    {
                        destinations.AddRange(match.DestinationSubnets);
                    }
                    else
                    {
                        // Takes whatever comes: nothing behind it can ever match.
                        AddDestinations(rule, filters, destinations);
                        Add(rule, filters, [], OwnSubnets);
                        return;
                    }
                }

                AddDestinations(rule, filters, destinations);
            }
        }

        Add(null, _filters.ToService(ServiceKey), [], OwnSubnets);
    }

    private void AddDestinations(VirtualServiceRule rule, IReadOnlyList<Filter> filters, List<string> destinations)
    {
        if (destinations.Count > 0)
        {
            Add(rule, filters, [], destinations);
        }
    }

    private SubsetKey ServiceKey => new(_port, "", _service.Host);

    /// <summary>Unlike those of HTTP, the conditions of such a match are all asked for, gateways too.</summary>
    private bool AppliesTo(uint port, RepeatedField<string> gateways, MapField<string, string> sourceLabels, string sourceNamespace)
        => (port == 0 || port == _port)
            && (gateways.Count == 0 || gateways.Contains("mesh"))
            && (sourceNamespace.Length == 0 || sourceNamespace == proxy.Namespace)
            && sourceLabels.All(label => proxy.Labels.TryGetValue(label.Key, out var value) && value == label.Value);

    private void Add(VirtualServiceRule? rule, IReadOnlyList<Filter> filters, IEnumerable<string> sniHosts, IEnumerable<string> destinations, string? source = null)
    {
        var match = new FilterChainMatch();
        var names = sniHosts.Select(host => host.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (!names.Contains("*"))
        {
            match.ServerNames.AddRange(names);
        }

        match.PrefixRanges.AddRange(CidrRanges.Of(destinations));
        match.SourcePrefixRanges.AddRange(CidrRanges.Of(source is null ? [] : [source]));
        _chains.Add(new FilterChain
        {
            FilterChainMatch = match.CalculateSize() > 0 ? match : null,
            Filters = { filters },
            Metadata = rule is null ? null : IstioMetadata.OfConfig(rule.Source),
        });
    }
}
