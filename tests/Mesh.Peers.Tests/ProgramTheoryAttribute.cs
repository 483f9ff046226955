namespace Mesh.Peers.Tests;

/// <summary>As <see cref="ProgramFactAttribute"/>, with data; skipped with a reason where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProgramTheoryAttribute : TheoryAttribute
{
    public ProgramTheoryAttribute(string program, string version)
    {
        Skip = Peer.Succeeds(program, version) ? null : $"{program} is not installed";
    }
}
