using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;
using Mesh.Xds.Validation;

namespace Mesh.Cli.Explain;

/// <summary><c>meshctl explain</c>: where a request of a workload would go, and why, in the words of the process that would send it.</summary>
internal sealed class ExplainCommand(CommonOptions common, CliEnvironment environment)
{
    private const int MaxLines = 2_000;

    public Command Create()
    {
        var host = CommonOptions.NoOption(new Argument<string>("host") { Description = "The host as the application calls it: reviews:9080" });
        var from = new Option<string?>("--from") { Description = "The workload that sends it, as proxy-status has it; not with --admin", HelpName = "name.namespace" };
        var path = new Option<string?>("--path") { Description = "Its path and query; / without it", HelpName = "path" };
        var method = new Option<string?>("--method") { Description = "Its method; GET without it", HelpName = "method" };
        var scheme = new Option<string?>("--scheme") { Description = "http or https", HelpName = "scheme" };
        var header = new Option<string[]>("--header", "-H") { Description = "A header, 'name: value'; again for another", HelpName = "header", Arity = ArgumentArity.ZeroOrMore };
        var serverName = new Option<string?>("--sni") { Description = "The server name of a connection's TLS, where the host is tcp://name:port", HelpName = "name" };
        var draw = new Option<string?>("--draw") { Description = "The random number of an earlier answer, to get that answer again", HelpName = "hex" };
        var command = new Command("explain", "Where a request would go, and why. Nothing is sent") { host, from, path, method, scheme, header, serverName, draw, common.Output };
        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            var format = arguments.GetValue(common.Output);
            var asks = new List<(string Name, string? Value)>
            {
                ("host", arguments.GetRequiredValue(host)),
                ("path", arguments.GetValue(path)),
                ("method", arguments.GetValue(method)),
                ("scheme", arguments.GetValue(scheme)),
                ("sni", arguments.GetValue(serverName)),
                ("draw", arguments.GetValue(draw)),
                ("format", format is OutputFormat.Json or OutputFormat.Yaml ? "json" : "text"),
            };
            asks.AddRange((arguments.GetValue(header) ?? []).Select(text => ("header", (string?)text)));
            var query = string.Join('&', asks.Where(ask => ask.Value is not null).Select(ask => $"{ask.Name}={Uri.EscapeDataString(ask.Value!)}"));

            using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
            using var admin = await new ProxyLocator(arguments, common, environment).GetAdminAsync(arguments.GetValue(from), controlPlane, cancellationToken);
            if (format is OutputFormat.Json or OutputFormat.Yaml)
            {
                Documents.Write(environment, format, await admin.GetAsync($"explain?{query}", cancellationToken));
                return;
            }

            foreach (var line in (await admin.GetTextAsync($"explain?{query}", cancellationToken)).Split('\n').Take(MaxLines))
            {
                environment.Out.WriteLine(PrintableText.Of(line.TrimEnd('\r')));
            }
        }));
        return command;
    }
}
