using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Tests.Reading;

internal static class Yamls
{
    public const string Head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: reviews\nspec:\n";

    public static ConfigText Read(string yaml, bool lenient = false, YamlLimits? limits = null)
        => new ConfigReader(new ConfigReaderOptions { Lenient = lenient, Limits = limits ?? YamlLimits.Default }, TimeProvider.System).Read(yaml, "mesh.yaml");

    public static T Spec<T>(string yaml)
    {
        var text = Read(yaml);
        text.Diagnostics.Where(d => d.Severity == ConfigSeverity.Error).ShouldBeEmpty();
        return text.Resources.Single().Spec.ShouldBeOfType<T>();
    }

    /// <summary>A valid VirtualService whose one HTTP route has these further lines, the first of them being line 11.</summary>
    public static string Route(string lines)
        => Head + "  hosts: [reviews]\n  http:\n  - route:\n    - destination:\n        host: reviews\n" + string.Concat(lines.Split('\n').Select(l => $"    {l}\n"));

    public static string Subset(string name, string labels = "{version: v1}")
        => $"apiVersion: networking.istio.io/v1beta1\nkind: DestinationRule\nmetadata: {{name: {name}}}\nspec:\n  host: {name}\n  subsets:\n  - name: v1\n    labels: {labels}\n";

    public static string Service(string name, int port = 80, string ns = "default")
        => $"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {ns}}}\nspec:\n  ports: [{{port: {port}}}]\n";

    public static string[] Lines(ConfigText text, ConfigSeverity severity = ConfigSeverity.Error)
        => [.. text.Diagnostics.Where(d => d.Severity == severity).Select(d => $"{d.Line}:{d.Column} {d.Path} {d.Message}")];
}
