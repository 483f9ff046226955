namespace Mesh.ControlPlane.Model;

/// <summary>What an authority means: a host of the mesh and one of its ports.</summary>
internal readonly record struct HostTarget(string Host, uint Port)
{
    /// <summary>The port of a host that only a VirtualService knows.</summary>
    public const uint RuleOnlyPort = 80;
}
