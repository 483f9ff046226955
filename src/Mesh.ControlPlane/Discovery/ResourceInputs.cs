using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Discovery;

/// <summary>What a resource was made from, by identity.</summary>
internal readonly record struct ResourceInputs(MeshService? Service, object? Rule, object? Endpoints, ConfigIndex Config, object?[] Destinations)
{
    public bool AreSameAs(in ResourceInputs other)
        => ReferenceEquals(Service, other.Service)
            && ReferenceEquals(Config.Mesh, other.Config.Mesh)
            && ReferenceEquals(Rule, other.Rule)
            && ReferenceEquals(Endpoints, other.Endpoints)
            && (ReferenceEquals(Config, other.Config) || SameDestinations(other.Destinations));

    private bool SameDestinations(object?[] others)
    {
        for (var i = 0; i < Destinations.Length && i < others.Length; i++)
        {
            if (!ReferenceEquals(Destinations[i], others[i]))
            {
                return false;
            }
        }

        return Destinations.Length == others.Length;
    }
}
