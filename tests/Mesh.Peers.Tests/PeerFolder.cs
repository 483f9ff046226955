using System.Reflection;

namespace Mesh.Peers.Tests;

/// <summary>Where the peers' scripts lie.</summary>
internal static class PeerFolder
{
    public static string Path { get; } = typeof(PeerFolder).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "PeersFolder").Value!;
}
