namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A folder of YAML of one test.</summary>
internal sealed class MeshFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("mesh-e2e-").FullName;

    public MeshFolder()
    {
        Path = System.IO.Path.Combine(_root, "mesh");
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    /// <summary>Saves as careful programs do: written beside, then renamed.</summary>
    public void Save(string name, string yaml)
    {
        var temporary = System.IO.Path.Combine(_root, name + ".new");
        File.WriteAllText(temporary, yaml);
        File.Move(temporary, System.IO.Path.Combine(Path, name), overwrite: true);
    }

    /// <summary>Saves as editors do: truncated, then written in place.</summary>
    public void Overwrite(string name, string yaml) => File.WriteAllText(System.IO.Path.Combine(Path, name), yaml);

    public void Delete(string name) => File.Delete(System.IO.Path.Combine(Path, name));

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
