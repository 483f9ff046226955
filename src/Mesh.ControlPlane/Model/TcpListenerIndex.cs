namespace Mesh.ControlPlane.Model;

/// <summary>Which services a connection can mean that goes to an address and port, or to a port of the client's own host.</summary>
internal sealed class TcpListenerIndex
{
    private readonly Dictionary<(string Address, uint Port), List<TcpListenerTarget>> _byAddress = [];
    private readonly Dictionary<(string Address, uint Port), List<TcpListenerTarget>> _byPort = [];

    public TcpListenerIndex(IEnumerable<MeshService> services)
    {
        foreach (var service in services.Where(service => service.Ports.Any(port => port.Protocol.IsTcp()))
            .OrderBy(service => service.Source, OldestFirst.Instance)
            .ThenBy(service => service.Host, StringComparer.Ordinal))
        {
            foreach (var port in service.Ports.Where(port => port.Protocol.IsTcp()))
            {
                foreach (var (address, subnet) in PlacesOf(service))
                {
                    Add(_byAddress, address, new TcpListenerTarget(service, port, subnet));
                }

                Add(_byPort, "", new TcpListenerTarget(service, port, null));
            }
        }
    }

    /// <summary>Addresses (empty: shared by services that have none) and ports.</summary>
    /// <param name="onOwnHost">Whether clients connect to their own host, so that ports alone tell services apart.</param>
    public IReadOnlyCollection<(string Address, uint Port)> Places(bool onOwnHost) => (onOwnHost ? _byPort : _byAddress).Keys;

    /// <summary>What is meant there, the oldest service first.</summary>
    public IReadOnlyList<TcpListenerTarget> TargetsAt(string address, uint port, bool onOwnHost)
        => (onOwnHost ? _byPort : _byAddress).TryGetValue((address, port), out var targets) ? targets : [];

    /// <summary>Where a service listens: an address with nothing beside it, or no address (empty) and perhaps the subnet that tells it apart.</summary>
    public static IEnumerable<(string Address, string? Subnet)> PlacesOf(MeshService service)
        => service.Addresses.Count == 0
            ? [("", null)]
            : service.Addresses.Select(address => address.Contains('/', StringComparison.Ordinal) ? ("", address) : (address, (string?)null));

    private static void Add(Dictionary<(string Address, uint Port), List<TcpListenerTarget>> targets, string address, TcpListenerTarget target)
    {
        if (!targets.TryGetValue((address, target.Port.Number), out var list))
        {
            targets.Add((address, target.Port.Number), list = []);
        }

        list.Add(target);
    }
}
