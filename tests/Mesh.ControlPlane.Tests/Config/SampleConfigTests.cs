namespace Mesh.ControlPlane.Tests.Reading;

public class SampleConfigTests
{
    [Fact]
    public void The_samples_are_read_without_a_word()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Mesh.sln")))
        {
            root = root.Parent.ShouldNotBeNull();
        }

        var files = Directory.GetFiles(Path.Combine(root.FullName, "samples"), "*.yaml", SearchOption.AllDirectories);
        files.ShouldNotBeEmpty();
        foreach (var file in files)
        {
            var text = Yamls.Read(File.ReadAllText(file));
            text.Diagnostics.Select(d => $"{file}: {d}").ShouldBeEmpty();
            text.Resources.ShouldNotBeEmpty(file);
        }
    }
}
