using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Localities;

/// <summary>The endpoints of one locality that share a priority, while an assignment is made.</summary>
internal sealed class LocalityGroup(MeshLocality locality)
{
    private ulong _sum;

    public MeshLocality Locality { get; } = locality;

    public List<(WorkloadInstance Instance, NetworkAddress Address)> Endpoints { get; } = [];

    public uint Priority { get; set; }

    /// <summary>The sum of its endpoints' weights until a rule gives it another; at most 2³²−1, which is Envoy's bound.</summary>
    public uint Weight
    {
        get => (uint)Math.Min(_sum, uint.MaxValue);
        set => _sum = value;
    }

    public void Add(WorkloadInstance instance, NetworkAddress address)
    {
        Endpoints.Add((instance, address));
        _sum += instance.Weight;
    }
}
