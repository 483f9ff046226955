using System.CommandLine;
using System.Text.Json.Nodes;
using Mesh.Cli.Output;
using Mesh.Cli.ProxyConfig;
using Mesh.Cli.Servers;

namespace Mesh.Cli.ProxyStatus;

/// <summary><c>meshctl proxy-status</c>: how far each proxy is with what its control plane has sent.</summary>
internal sealed class ProxyStatusCommand(CommonOptions common, CliEnvironment environment)
{
    private static readonly string[] Types = ["CDS", "LDS", "EDS", "RDS", "ECDS"];

    public Command Create()
    {
        var proxy = CommonOptions.NoOption(new Argument<string?>("proxy") { Description = "One proxy: what was sent, accepted and refused, and where it differs from what the proxy has", Arity = ArgumentArity.ZeroOrOne });
        var command = new Command("proxy-status", "How far each proxy is with what its control plane has sent") { proxy, common.Output };
        command.Aliases.Add("ps");
        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
            var (name, format) = (arguments.GetValue(proxy), arguments.GetValue(common.Output));
            if (name is null)
            {
                var all = await controlPlane.ReadAsync("syncz", cancellationToken);
                Write(format, all, () => TableOf(InNamespace(all.AsArray(), arguments.GetValue(common.Namespace))).Write(environment));
                return;
            }

            var one = (await controlPlane.ReadAsync("syncz", cancellationToken, ("proxyID", ProxyName.Parse(name, arguments.GetValue(common.Namespace))))).AsArray()[0]!;
            if (format is OutputFormat.Json or OutputFormat.Yaml)
            {
                Documents.Write(environment, format, one);
                return;
            }

            DetailsOf(one).Write(environment);
            await CompareAsync(arguments, one["proxy"]!.ToString(), controlPlane, cancellationToken);
        }));
        return command;
    }

    private void Write(OutputFormat format, JsonNode node, Action table)
    {
        if (format is OutputFormat.Json or OutputFormat.Yaml)
        {
            Documents.Write(environment, format, node);
        }
        else
        {
            table();
        }
    }

    private static IEnumerable<JsonNode> InNamespace(JsonArray proxies, string? @namespace)
        => proxies.OfType<JsonNode>().Where(proxy => @namespace is null || proxy["workload"]?.ToString().EndsWith("." + @namespace, StringComparison.Ordinal) == true);

    private static Table TableOf(IEnumerable<JsonNode> proxies)
    {
        var table = new Table(["NAME", "CLUSTER", .. Types, "ISTIOD", "VERSION"]);
        foreach (var proxy in proxies)
        {
            var states = (proxy["types"] as JsonArray ?? []).OfType<JsonObject>().ToLookup(type => type["name"]?.ToString(), type => type["status"]?.ToString());
            table.Add([
                proxy["proxy"]?.ToString(),
                proxy["cluster_id"]?.ToString(),
                .. Types.Select(type => states[type].FirstOrDefault() ?? "NOT SENT"),
                proxy["control_plane"]?.ToString(),
                proxy["version"]?.ToString()]);
        }

        return table;
    }

    private static Table DetailsOf(JsonNode proxy)
    {
        var table = new Table("TYPE", "STATUS", "SENT", "ACKED", "NACKED", "LAST SENT", "ERROR");
        foreach (var type in (proxy["types"] as JsonArray ?? []).OfType<JsonObject>())
        {
            table.Add(
                type["name"]?.ToString(), type["status"]?.ToString(), type["sent"]?.ToString(), type["acked"]?.ToString(), type["nacked"]?.ToString(), type["last_sent"]?.ToString(), type["error"]?.ToString());
        }

        return table;
    }

    /// <summary>What the control plane has sent beside what the process has.</summary>
    private async Task CompareAsync(ParseResult arguments, string name, ControlPlaneServer controlPlane, CancellationToken cancellationToken)
    {
        using var admin = await new ProxyLocator(arguments, common, environment).FindAdminAsync(name, controlPlane, cancellationToken);
        if (admin is null)
        {
            environment.Out.WriteLine();
            environment.Out.WriteLine("What the proxy itself has is not compared: it has announced no admin port that can be reached from here (Mesh:Admin:Port, or --admin http://host:port).");
            return;
        }

        var sent = ConfigDump.Of(await controlPlane.ReadAsync("config_dump", cancellationToken, ("proxyID", name)));
        var held = ConfigDump.Of(await admin.GetAsync("config_dump?include_eds", cancellationToken));
        environment.Out.WriteLine();
        foreach (var line in new ProxyDifference(sent, held).Lines())
        {
            environment.Out.WriteLine(line);
        }
    }
}
