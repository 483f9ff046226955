namespace Mesh.Peers.Tests;

/// <summary>A test with a program; skipped with a reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program, string probe)
    {
        Skip = Peer.Succeeds(program, probe) ? null : $"{program} is not installed";
    }
}
