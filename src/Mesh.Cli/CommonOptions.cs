using System.CommandLine;
using System.Globalization;
using Mesh.Cli.Output;

namespace Mesh.Cli;

/// <summary>The options that every command has.</summary>
internal sealed class CommonOptions
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    public Option<string?> ControlPlane { get; } = new("--control-plane", "--cp")
    {
        Description = "The control plane's address: http(s)://host:port. Without it, MESHCTL_CONTROL_PLANE, else http://localhost:15014, else :15010",
        HelpName = "url",
        Recursive = true,
    };

    public Option<string?> TokenFile { get; } = new("--token-file")
    {
        Description = "A file with the token of the role StatusReader. Without it, MESHCTL_TOKEN_FILE, else MESHCTL_TOKEN",
        HelpName = "file",
        Recursive = true,
    };

    public Option<string?> CaFile { get; } = new("--ca-file") { Description = "The roots, in PEM, that a control plane on https is believed by", HelpName = "file", Recursive = true };

    public Option<string?> CertFile { get; } = new("--cert-file") { Description = "A certificate to show to the control plane, in PEM", HelpName = "file", Recursive = true };

    public Option<string?> KeyFile { get; } = new("--key-file") { Description = "The key of --cert-file, in PEM", HelpName = "file", Recursive = true };

    public Option<string?> Admin { get; } = new("--admin")
    {
        Description = "Ask a process itself, at its admin port: http://localhost:15020. No name of a proxy is needed then",
        HelpName = "url",
        Recursive = true,
    };

    public Option<string?> Namespace { get; } = new("--namespace", "-n") { Description = "The namespace of names that have none", HelpName = "namespace", Recursive = true };

    public Option<TimeSpan> Timeout { get; } = new("--timeout")
    {
        Description = "How long one answer may take: 10s, 500ms, 1m",
        HelpName = "time",
        Recursive = true,
        DefaultValueFactory = _ => DefaultTimeout,
        CustomParser = result =>
        {
            if (result.Tokens is [{ Value: var text }] && TryParse(text, out var time))
            {
                return time;
            }

            result.AddError("--timeout takes a time such as 10s, 500ms or 1m.");
            return DefaultTimeout;
        },
    };

    public Option<OutputFormat> Output { get; } = new("--output", "-o")
    {
        Description = "table (short), json or yaml",
        HelpName = "format",
        CustomParser = result =>
        {
            if (result.Tokens is [{ Value: var text }] && Enum.TryParse<OutputFormat>(text, ignoreCase: true, out var format) && !char.IsAsciiDigit(text[0]))
            {
                return format;
            }

            result.AddError("--output takes table, short, json or yaml.");
            return OutputFormat.Table;
        },
    };

    public void AddTo(Command root)
    {
        Output.CompletionSources.Add("table", "short", "json", "yaml");
        foreach (var option in new Option[] { ControlPlane, TokenFile, CaFile, CertFile, KeyFile, Admin, Namespace, Timeout })
        {
            root.Add(option);
        }
    }

    /// <summary>An argument that is no option that somebody has misspelt.</summary>
    public static Argument<T> NoOption<T>(Argument<T> argument)
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value is ['-', _, ..]) is { } option)
            {
                result.AddError($"There is no option {option.Value} here.");
            }
        });
        return argument;
    }

    private static bool TryParse(string text, out TimeSpan time)
    {
        var (number, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1d) : text.EndsWith('s') ? (text[..^1], 1_000d) : text.EndsWith('m') ? (text[..^1], 60_000d) : (text, 1_000d);
        time = default;
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value * unit is not (> 0 and <= 3_600_000))
        {
            return false;
        }

        time = TimeSpan.FromMilliseconds(value * unit);
        return true;
    }
}
