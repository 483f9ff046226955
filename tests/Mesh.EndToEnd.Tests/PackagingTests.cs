using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;

namespace Mesh.EndToEnd.Tests;

/// <summary>What people get: a program that needs no more than it uses, and packages that say what they are.</summary>
[Trait("Category", "Packaging")]
public sealed class PackagingTests
{
    // What this test was built with is built already.
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    /// <summary>The one that is a program: <c>dotnet tool install</c>.</summary>
    private const string Tool = "Mesh.Cli";

    private static readonly string[] Packages =
    [
        "Mesh", "Mesh.Abstractions", "Mesh.Cli", "Mesh.Client", "Mesh.ControlPlane", "Mesh.DataPlane", "Mesh.OpenTelemetry", "Mesh.Server", "Mesh.Testing", "Mesh.Xds", "Mesh.Xds.Server",
    ];

    [Fact]
    public async Task A_published_console_program_on_the_client_needs_no_aspnet_and_calls_through_the_mesh()
    {
        var folder = Directory.CreateTempSubdirectory("mesh-publish-");
        try
        {
            await DotnetCommand.RunAsync("publish", "tests/apps/ConsoleOnMeshClient", "-c", Configuration, "--no-build", "-v", "q", "--nologo", "-o", folder.FullName);

            using var config = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder.FullName, "ConsoleOnMeshClient.runtimeconfig.json")));
            var options = config.RootElement.GetProperty("runtimeOptions");
            options.GetProperty("framework").GetProperty("name").GetString().ShouldBe("Microsoft.NETCore.App");
            options.TryGetProperty("frameworks", out _).ShouldBeFalse();
            folder.EnumerateFiles("Microsoft.AspNetCore.*").ShouldBeEmpty();

            await using var lab = new MeshLab();
            lab.Folder.Save("services.yaml", Yaml.Service("echo"));
            await lab.StartControlPlaneAsync();
            var workload = await lab.StartWorkloadAsync("echo");
            await lab.WhenRegisteredAsync("echo", 1);
            var output = await DotnetCommand.RunAsync(Path.Combine(folder.FullName, "ConsoleOnMeshClient.dll"), lab.XdsAddress, "http://echo/");
            output.ShouldContain($"answer: 200 {workload.Instance}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Every_package_carries_its_readme_documentation_symbols_and_metadata()
    {
        var folder = Directory.CreateTempSubdirectory("mesh-pack-");
        try
        {
            await DotnetCommand.RunAsync("pack", "Mesh.sln", "-c", Configuration, "--no-build", "-v", "q", "--nologo", "-o", folder.FullName);

            var projects = new DirectoryInfo(Path.Combine(DotnetCommand.Root, "src")).EnumerateDirectories().Select(project => project.Name).Order(StringComparer.Ordinal);
            projects.ShouldBe(Packages.Order(StringComparer.Ordinal), "every project under src is a package");
            foreach (var package in Packages)
            {
                ShouldBeComplete(folder.EnumerateFiles($"{package}.?.?.?.nupkg").ShouldHaveSingleItem(), package);
                ShouldHaveSymbols(folder.EnumerateFiles($"{package}.?.?.?.snupkg").ShouldHaveSingleItem(), package);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string FolderOf(string package) => package == Tool ? "tools/net10.0/any" : "lib/net10.0";

    private static void ShouldBeComplete(FileInfo file, string package)
    {
        using var zip = ZipFile.OpenRead(file.FullName);
        var entries = zip.Entries.ToDictionary(entry => entry.FullName, StringComparer.Ordinal);
        entries.ShouldContainKey($"{FolderOf(package)}/{package}.dll");
        entries.ContainsKey($"{FolderOf(package)}/DotnetToolSettings.xml").ShouldBe(package == Tool);
        entries.ShouldContainKey("README.md");
        entries["README.md"].Length.ShouldBeGreaterThan(0);
        using (var documentation = entries.ShouldContainKeyAnd($"{FolderOf(package)}/{package}.xml").Open())
        {
            XDocument.Load(documentation).Root!.Element("assembly")!.Element("name")!.Value.ShouldBe(package);
        }

        using var nuspec = entries.ShouldContainKeyAnd($"{package}.nuspec").Open();
        var metadata = XDocument.Load(nuspec).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
        string Value(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value ?? "";
        Value("id").ShouldBe(package);
        Value("license").ShouldBe("Apache-2.0");
        Value("readme").ShouldBe("README.md");
        foreach (var name in new[] { "version", "authors", "description", "copyright", "tags" })
        {
            Value(name).ShouldNotBeNullOrWhiteSpace($"{package}: {name}");
        }

        Value("description").ShouldNotBe("Package Description", package);
    }

    private static void ShouldHaveSymbols(FileInfo file, string package)
    {
        using var zip = ZipFile.OpenRead(file.FullName);
        zip.Entries.ShouldContain(entry => entry.FullName == $"{FolderOf(package)}/{package}.pdb");
    }
}
