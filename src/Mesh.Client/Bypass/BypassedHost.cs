namespace Mesh.Client.Bypass;

/// <summary>A host that was reached beside the mesh: its name where one was looked up, else its address.</summary>
internal readonly record struct BypassedHost(string Name, int Port)
{
    public override string ToString() => Name.Contains(':', StringComparison.Ordinal) ? $"[{Name}]:{Port}" : $"{Name}:{Port}";
}
