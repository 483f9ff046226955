using System.Reflection;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>The files of <c>deploy/</c>, as they lie in the repository.</summary>
internal static class DeployFolder
{
    // Not from [CallerFilePath]: a build for continuous integration maps the paths of sources to "/_/".
    public static string Path { get; } = typeof(DeployFolder).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "DeployFolder").Value!;

    public static IEnumerable<string> Dashboards => Directory.EnumerateFiles(System.IO.Path.Combine(Path, "grafana"), "*.json").Order(StringComparer.Ordinal);

    public static string Alerts => System.IO.Path.Combine(Path, "prometheus", "alerts.yml");
}
