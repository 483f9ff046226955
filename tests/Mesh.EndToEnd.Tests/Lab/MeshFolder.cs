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

    /// <summary>
    /// Saves in place, at one stroke: the rest of what was there becomes blank. Between being truncated and written a file is empty, which on a busy machine
    /// may last for longer than it is waited for, and an empty file takes its documents away.
    /// </summary>
    public void Overwrite(string name, string yaml)
    {
        using var file = new FileStream(System.IO.Path.Combine(Path, name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        var bytes = System.Text.Encoding.UTF8.GetBytes(yaml);
        file.Write([.. bytes, .. Enumerable.Repeat((byte)'\n', (int)Math.Max(0, file.Length - bytes.Length))]);
    }

    public void Delete(string name) => File.Delete(System.IO.Path.Combine(Path, name));

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
