using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>One <c>egress</c> entry of a Sidecar: the hosts that it lets in, by the namespace of what declares them.</summary>
internal sealed class EgressListener
{
    private const string AnyNamespace = "*";
    private const string OwnNamespace = ".";

    private readonly Dictionary<string, HostPatterns> _byNamespace = new(StringComparer.Ordinal);

    public EgressListener(IstioEgressListener spec)
    {
        Port = spec.Port?.Number ?? 0;
        foreach (var entry in spec.Hosts)
        {
            var slash = entry.IndexOf('/', StringComparison.Ordinal);
            var @namespace = entry[..Math.Max(slash, 0)];
            if (@namespace == "~")
            {
                // No namespace at all.
                continue;
            }

            if (!_byNamespace.TryGetValue(@namespace, out var patterns))
            {
                _byNamespace.Add(@namespace, patterns = new HostPatterns());
            }

            patterns.Add(entry[(slash + 1)..].ToLowerInvariant());
        }
    }

    /// <summary>The only port that it is about; 0: all that no other entry names.</summary>
    public uint Port { get; }

    /// <summary>Whether a service is let in.</summary>
    /// <param name="service">The service.</param>
    /// <param name="clientNamespace">What <c>.</c> means: the namespace of the client, also where the Sidecar is the root namespace's.</param>
    public bool Imports(MeshService service, string clientNamespace)
        => PatternsFor(service.Namespace, clientNamespace).Any(patterns => patterns.Cover(service.Host));

    /// <inheritdoc cref="Imports(MeshService, string)"/>
    /// <remarks>As in Istio a VirtualService comes in by its own namespace, and in either direction: one for <c>*.example.com</c> comes in with <c>api.example.com</c>.</remarks>
    public bool Imports(VirtualServiceRule rule, string clientNamespace)
        => PatternsFor(rule.Source.Namespace, clientNamespace).Any(patterns => rule.Hosts.Any(patterns.Overlap));

    private IEnumerable<HostPatterns> PatternsFor(string @namespace, string clientNamespace)
    {
        if (_byNamespace.TryGetValue(@namespace, out var named))
        {
            yield return named;
        }

        if (@namespace == clientNamespace && _byNamespace.TryGetValue(OwnNamespace, out var own))
        {
            yield return own;
        }

        if (_byNamespace.TryGetValue(AnyNamespace, out var any))
        {
            yield return any;
        }
    }
}
