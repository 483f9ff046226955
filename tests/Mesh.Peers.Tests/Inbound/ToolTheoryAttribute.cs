namespace Mesh.Peers.Tests.Inbound;

/// <summary>A test with a program of the system; skipped with a reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(string program, string version)
    {
        Skip = Peer.Succeeds(program, version) ? null : $"{program} is not installed";
    }
}
