using System.CommandLine;
using System.Text.Json.Nodes;
using Mesh.Cli.Output;
using Mesh.Cli.Servers;
using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Validation;

namespace Mesh.Cli.Analyze;

/// <summary><c>meshctl analyze</c>: what is wrong with documents, of files or of a control plane, by the code that a control plane reads them with.</summary>
internal sealed class AnalyzeCommand(CommonOptions common, CliEnvironment environment)
{
    private const string DefaultNamespace = "default";
    private const int MaxFiles = 10_000;
    private const int MaxFileBytes = 16 << 20;

    public Command Create()
    {
        var files = CommonOptions.NoOption(new Argument<string[]>("file") { Description = "Files and folders of YAML; none: the documents of the control plane", Arity = ArgumentArity.ZeroOrMore });
        var lenient = new Option<bool>("--lenient") { Description = "Unknown fields are warnings" };
        var domain = new Option<string>("--cluster-domain") { Description = "The DNS domain of short names", HelpName = "domain", DefaultValueFactory = _ => "cluster.local" };
        var command = new Command("analyze", "What is wrong with documents: of files, or of the control plane") { files, lenient, domain, common.Output };
        command.SetAction((arguments, cancellationToken) => CommandRunner.RunAsync(environment, async () =>
        {
            var found = arguments.GetValue(files) is { Length: > 0 } given
                ? OfFiles(given, arguments.GetValue(lenient), arguments.GetValue(domain)!)
                : await OfControlPlaneAsync(arguments, cancellationToken);
            var format = arguments.GetValue(common.Output);
            if (format is OutputFormat.Json or OutputFormat.Yaml)
            {
                Documents.Write(environment, format, new JsonArray([.. found.Select(message => (JsonNode)message.ToJson())]));
            }
            else if (found.Count == 0)
            {
                environment.Out.WriteLine($"No validation issues found when analyzing {(arguments.GetValue(files) is { Length: > 0 } ? "the files" : $"namespace: {arguments.GetValue(common.Namespace) ?? DefaultNamespace}")}.");
            }
            else
            {
                foreach (var message in found)
                {
                    environment.Out.WriteLine(PrintableText.Of(message.ToString()));
                }
            }

            return found.Any(message => message.IsError) ? ExitCodes.AnalyzerFoundIssues : ExitCodes.Success;
        }));
        return command;
    }

    private IReadOnlyList<AnalyzerMessage> OfFiles(IEnumerable<string> given, bool lenient, string domain)
    {
        var reader = new ConfigReader(new ConfigReaderOptions { Lenient = lenient }, environment.Time);
        var diagnostics = new List<ConfigDiagnostic>();
        var resources = new Dictionary<(string, string, string), ConfigResource>();
        foreach (var file in given.SelectMany(FilesAt))
        {
            var text = reader.Read(Read(file), file);
            diagnostics.AddRange(text.Diagnostics);
            foreach (var resource in text.Resources)
            {
                if (!resources.TryAdd(resource.Key, resource))
                {
                    diagnostics.Add(new ConfigDiagnostic(
                        ConfigSeverity.Error, ConfigCodes.Duplicate, file, resource.Source.Line, 1, "", $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}", $"is also in {resources[resource.Key].Source}."));
                }
            }
        }

        // As a control plane does: the documents of all files against each other.
        var snapshot = new ConfigSnapshot(1, [.. resources.Values.OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal).ThenBy(r => r.Kind.ToString(), StringComparer.Ordinal)]);
        var builder = new MeshModelBuilder(domain, retry503: false);
        var model = new ModelDiagnostics();
        builder.Update(snapshot, new Dictionary<string, WorkloadInstance?>(), model);
        ModelAnalyzer.Analyze(snapshot, builder.Model.Config, model);
        return [.. diagnostics.Concat(model.Found).Distinct().Select(AnalyzerMessage.Of)];
    }

    private async Task<IReadOnlyList<AnalyzerMessage>> OfControlPlaneAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        using var controlPlane = ControlPlaneServer.Of(arguments, common, environment);
        var diagnostics = await controlPlane.ReadAsync("diagnosticsz", cancellationToken, ("namespace", arguments.GetValue(common.Namespace)));
        return [.. diagnostics.AsArray().OfType<JsonObject>().Select(AnalyzerMessage.Of)];
    }

    private static IEnumerable<string> FilesAt(string path)
    {
        if (path == "-" || File.Exists(path))
        {
            return [path];
        }

        if (!Directory.Exists(path))
        {
            throw new CommandException($"there is no file or folder {path}");
        }

        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => ConfigFiles.IsConfig(file)).Order(StringComparer.Ordinal).Take(MaxFiles + 1).ToArray();
        return files.Length switch
        {
            0 => throw new CommandException($"there is no YAML in the folder {path}"),
            > MaxFiles => throw new CommandException($"there are more than {MaxFiles} files of YAML in the folder {path}; name the folders that are meant"),
            _ => files,
        };
    }

    private static string Read(string file)
    {
        try
        {
            if (file == "-")
            {
                return Console.In.ReadToEnd();
            }

            return new FileInfo(file).Length <= MaxFileBytes ? File.ReadAllText(file) : throw new CommandException($"{file} is larger than {MaxFileBytes >> 20} MB, which no document is");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be read: {e.Message}");
        }
    }
}
