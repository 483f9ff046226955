namespace Mesh.Testing.Tests;

/// <summary>How long a test may hang before it fails.</summary>
internal static class Guard
{
    public static readonly TimeSpan Time = TimeSpan.FromSeconds(30);
}
