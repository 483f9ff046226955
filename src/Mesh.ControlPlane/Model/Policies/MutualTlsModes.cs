using Istio.Security.V1Beta1;
using Mode = Istio.Security.V1Beta1.PeerAuthentication.Types.MutualTLS.Types.Mode;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>What a workload does with mutual TLS: at all of its ports, and where one of them differs.</summary>
internal sealed class MutualTlsModes
{
    private readonly Dictionary<uint, Mode> _ports;

    private MutualTlsModes(Mode mode, Dictionary<uint, Mode> ports)
    {
        Mode = mode;
        _ports = ports;
    }

    /// <summary>Never <see cref="Mode.Unset"/>.</summary>
    public Mode Mode { get; }

    /// <param name="policies">From the mesh down to the workload: what one leaves unset is that of the one before.</param>
    public static MutualTlsModes Of(IEnumerable<PolicyRule<PeerAuthentication>> policies)
    {
        var mode = Mode.Permissive;
        var ports = new Dictionary<uint, Mode>();
        foreach (var policy in policies)
        {
            mode = policy.Spec.Mtls is { Mode: not Mode.Unset } mtls ? mtls.Mode : mode;
            ports.Clear();
            foreach (var (port, own) in policy.Selector is null ? [] : policy.Spec.PortLevelMtls)
            {
                ports[port] = own.Mode == Mode.Unset ? mode : own.Mode;
            }
        }

        return new MutualTlsModes(mode, ports);
    }

    /// <summary>The mode of a port that documents know by any of several numbers; the strictest, should they differ.</summary>
    public Mode OfPort(IReadOnlyList<uint> declared)
    {
        var found = declared.Where(_ports.ContainsKey).Select(port => _ports[port]).ToArray();
        return found.Length == 0 ? Mode : found.Max();
    }

    public Mode OfPort(uint port) => _ports.GetValueOrDefault(port, Mode);
}
