using System.CommandLine;
using System.Reflection;
using System.Text.Json.Nodes;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;
using Mesh.Xds.Validation;

namespace Mesh.Cli.Versions;

/// <summary><c>meshctl version</c>: of this program, of the control plane, and of the proxies.</summary>
internal sealed class VersionCommand(CommonOptions common, CliEnvironment environment)
{
    public static string Own { get; }
        = typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public Command Create()
    {
        var ownOnly = new Option<bool>("--remote=false", "--client") { Description = "Of this program only" };
        var command = new Command("version", "Versions: of this program, of the control plane and of the proxies") { ownOnly, common.Output };
        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            var versions = new JsonObject { ["clientVersion"] = Own };
            if (!arguments.GetValue(ownOnly))
            {
                await AddRemoteAsync(versions, arguments, cancellationToken);
            }

            var format = arguments.GetValue(common.Output);
            if (format is OutputFormat.Json or OutputFormat.Yaml)
            {
                Documents.Write(environment, format, versions);
                return;
            }

            Line($"client version: {Own}");
            if (versions["meshVersion"] is { } mesh)
            {
                Line($"control plane version: {mesh}");
                foreach (var (version, count) in versions["dataPlaneVersion"] as JsonObject ?? [])
                {
                    Line($"data plane version: {version} ({count} prox{(count?.ToString() == "1" ? "y" : "ies")})");
                }
            }
            else if (versions["problem"] is { } problem)
            {
                Line($"control plane version: none; {problem}");
            }
        }));
        return command;
    }

    private async Task AddRemoteAsync(JsonObject versions, ParseResult arguments, CancellationToken cancellationToken)
    {
        using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
        try
        {
            versions["meshVersion"] = (await controlPlane.GetAsync("version", cancellationToken))["version"]?.ToString();
            var proxies = (await controlPlane.ReadAsync("syncz", cancellationToken)).AsArray();
            versions["dataPlaneVersion"] = new JsonObject(proxies
                .GroupBy(proxy => proxy?["version"]?.ToString() ?? "unknown", StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => KeyValuePair.Create(group.Key, (JsonNode?)group.Count())));
        }
        catch (UnreachableServerException e) when (!controlPlane.IsNamed)
        {
            // Nobody said that there is one.
            versions["problem"] = e.Message;
        }
    }

    private void Line(string text) => environment.Out.WriteLine(PrintableText.Of(text));
}
