using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Mirroring;

/// <summary>A mirror policy bound to its cluster; <see langword="null"/> where a header names it.</summary>
internal sealed record Mirror(MirrorPolicy Policy, Cluster? Cluster);
