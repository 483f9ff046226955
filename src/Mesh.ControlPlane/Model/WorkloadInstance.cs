using System.Globalization;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>Something that serves: a registered workload, a WorkloadEntry, or an endpoint listed in a ServiceEntry.</summary>
internal sealed class WorkloadInstance
{
    private static readonly Dictionary<string, uint> NoPorts = [];
    private static readonly Dictionary<string, NetworkAddress> NoAddresses = [];

    /// <summary>Unique among all instances; it also orders endpoints, so that the same mesh always yields the same bytes.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Namespace { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public string ServiceAccount { get; init; } = "";

    /// <summary>The path of its SPIFFE identity in its trust domain; <see langword="null"/> when it runs as nobody.</summary>
    public string? Identity => ServiceAccount.Length > 0 ? $"ns/{Namespace}/sa/{ServiceAccount}" : null;

    /// <summary>Whether it says that it speaks the mesh's mutual TLS: by the label, or, of what a document lists, by naming an account, as with Istio.</summary>
    public bool SpeaksMutualTls => Labels.TryGetValue(TlsMode.Label, out var mode) ? mode == TlsMode.Istio : Address is not null && ServiceAccount.Length > 0;

    public string ClusterId { get; init; } = "";

    public MeshLocality Locality { get; init; } = MeshLocality.None;

    public uint Weight { get; init; } = 1;

    /// <summary>
    /// One address for all ports (WorkloadEntry, ServiceEntry endpoint): an IP address, a host name or <c>unix:///path</c>;
    /// <see langword="null"/> when <see cref="Addresses"/> tells.
    /// </summary>
    public string? Address { get; init; }

    /// <summary>Whether <see cref="Address"/> is a host name: DNS clusters resolve it, EDS cannot carry it.</summary>
    public bool IsNamed { get; init; }

    public bool IsUnixSocket => Address is not null && Address.StartsWith(NetworkAddress.UnixPrefix, StringComparison.Ordinal);

    /// <summary>Port numbers by service port name or target port name, for <see cref="Address"/>.</summary>
    public IReadOnlyDictionary<string, uint> Ports { get; init; } = NoPorts;

    /// <summary>The ports of the document that lists it, which its service may share with other documents; <see langword="null"/>: all.</summary>
    public IReadOnlySet<uint>? ServedPorts { get; init; }

    /// <summary>Full addresses by service port name, target port or protocol: what a registered workload announces.</summary>
    public IReadOnlyDictionary<string, NetworkAddress> Addresses { get; init; } = NoAddresses;

    public string CanonicalName => CanonicalService.NameOf(Labels, Name);

    public string CanonicalRevision => CanonicalService.RevisionOf(Labels);

    public bool Matches(IReadOnlyDictionary<string, string> selector)
    {
        foreach (var (key, value) in selector)
        {
            if (!Labels.TryGetValue(key, out var own) || own != value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether it is of a subset: besides its own labels those of its place count.</summary>
    public bool IsOf(Subset subset)
    {
        foreach (var (key, value) in subset.Labels)
        {
            if (LabelOf(key) != value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The value of one of its labels or of its place's (see <see cref="TopologyLabels"/>).</summary>
    public string? LabelOf(string key) => TopologyLabels.Find(Labels, Locality, ClusterId, key);

    /// <summary>Where this instance serves <paramref name="port"/>, or <see langword="null"/> when it does not.</summary>
    public NetworkAddress? AddressFor(MeshService service, MeshServicePort port)
    {
        if (ServedPorts?.Contains(port.Number) == false)
        {
            return null;
        }

        if (Address is not null)
        {
            return new NetworkAddress(Address, IsUnixSocket ? 0 : PortFor(port));
        }

        if (Addresses.TryGetValue(port.Name, out var address)
            || (port.TargetPort.Length > 0 && Addresses.TryGetValue(port.TargetPort, out address))
            || Addresses.TryGetValue(port.Number.ToString(CultureInfo.InvariantCulture), out address)
            || Addresses.TryGetValue(ProtocolName(port), out address))
        {
            return address;
        }

        return service.Ports.Count == 1 ? OnlyAddress(port) : null;
    }

    // One for clear text, and perhaps others with the application's own TLS; these serve what may be TLS, where there is nothing else.
    private NetworkAddress? OnlyAddress(MeshServicePort port)
    {
        var clear = Addresses.Where(address => !address.Key.StartsWith("https", StringComparison.Ordinal)).Select(address => address.Value).Take(2).ToArray();
        return clear.Length == 1 ? clear[0]
            : clear.Length == 0 && Addresses.Count == 1 && port.Protocol is (PortProtocol.Https or PortProtocol.Tls or PortProtocol.Tcp) ? Addresses.Values.First()
            : null;
    }

    private uint PortFor(MeshServicePort port)
    {
        if (Ports.TryGetValue(port.Name, out var number) || Ports.TryGetValue(port.TargetPort, out number))
        {
            return number;
        }

        return uint.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out number) ? number : port.Number;
    }

    /// <summary><c>http-web</c> is served by an address announced as <c>http</c>; so is a port without a telling name.</summary>
    private static string ProtocolName(MeshServicePort port) => port.Protocol switch
    {
        PortProtocol.Http or PortProtocol.Auto => "http",
        PortProtocol.Http2 => "http2",
        PortProtocol.Grpc => "grpc",
        PortProtocol.GrpcWeb => "grpc-web",
        PortProtocol.Https => "https",
        PortProtocol.Tls => "tls",
        PortProtocol.Udp => "udp",
        _ => "tcp",
    };
}
