using System.Security.Cryptography;
using System.Text;
using Istio.Mesh.V1Alpha1;
using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>What a workload says of itself by the annotation <c>proxy.istio.io/config</c>: a ProxyConfig as a text of YAML.</summary>
/// <param name="Hash">Of the text: equal for those that say the same. Workloads write it, so that the text itself is not kept.</param>
/// <param name="Config">What it comes to.</param>
internal sealed record ProxyConfigAnnotation(string Hash, ProxyConfig Config)
{
    public const string Key = "proxy.istio.io/config";

    /// <summary>Nobody writes as much by hand: what is longer is not read.</summary>
    private const int MaxLength = 16 * 1024;

    private static readonly ConfigKind Kind = new("", "ProxyConfig", [], ProxyConfig.Descriptor)
    {
        Validate = (message, context) => ProxyConfigValidator.Validate((ProxyConfig)message, "", context),
        Honoured = HonouredFields.WorkloadProxyConfig,
    };

    /// <summary>Reads an annotation.</summary>
    /// <param name="text">The annotation.</param>
    /// <param name="problems">Receives what is wrong with it: field and reason. It comes from a workload, and is for logs alone.</param>
    /// <returns><see langword="null"/> when it cannot be used.</returns>
    public static ProxyConfigAnnotation? Read(string text, List<string> problems)
    {
        if (text.Length > MaxLength)
        {
            problems.Add($"it is longer than {MaxLength} characters");
            return null;
        }

        var yaml = YamlComposer.Compose(text, YamlLimits.Default);
        if (yaml.Broken is { } broken)
        {
            problems.Add($"line {broken.Line}: {broken.Message}");
            return null;
        }

        if (yaml.Documents.Count != 1)
        {
            problems.Add(yaml.Documents.Count == 0 ? "it is empty" : "it has several documents");
            return null;
        }

        var context = new ReadContext(ConfigReaderOptions.Default);
        var root = yaml.Documents[0].Root;
        var config = SpecReader.Read(context, ConfigReaderOptions.Default, Kind, root, YamlPath.Root, root) as ProxyConfig;
        problems.AddRange(context.Problems.Select(problem => $"line {problem.Line}: {problem.Path} {problem.Message}"));
        return config is null ? null : new ProxyConfigAnnotation(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text))), config);
    }
}
