using System.Globalization;

namespace LoadGenerator;

/// <summary>What load is to be made: the flags of <c>fortio load</c> that labs use, with its defaults.</summary>
/// <param name="Url">Whom to ask.</param>
public sealed record LoadOptions(Uri Url)
{
    public const string Usage = """
        load [flags] <url>
          -c <n>            callers side by side, each with a connection of its own (4)
          -qps <n>          requests per second of all together; 0: as fast as they can (8)
          -n <n>            exactly so many requests, and not for a time
          -t <duration>     for so long: 5s, 1m30s (5s)
          -H <name: value>  a header; may be given several times
          -p <list>         percentiles (50,75,90,99,99.9)
          -r <seconds>      resolution of the histogram (0.001)
          -timeout <time>   of one request (3s)
          -keepalive=false  a connection for each request
          -loglevel <level> Warning: nothing but warnings before the result; Error: not even those
          -json <file>      the result as JSON too; - for standard output in place of the text
          -curl             one request, and what came back
          -xds <url>        as an application of the mesh that this control plane serves
          -app <name>       which application that is (fortio)
        """;

    public int Connections { get; init; } = 4;

    /// <summary>Requests per second, of all callers together; 0: as many as they can.</summary>
    public double Qps { get; init; } = 8;

    /// <summary>Exactly so many requests; 0: as many as <see cref="Duration"/> allows.</summary>
    public int Exactly { get; init; }

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(5);

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public IReadOnlyList<double> Percentiles { get; init; } = [50, 75, 90, 99, 99.9];

    /// <summary>The unit of the histogram's buckets, in seconds.</summary>
    public double Resolution { get; init; } = 0.001;

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    public bool KeepAlive { get; init; } = true;

    public LoadLogLevel LogLevel { get; init; } = LoadLogLevel.Info;

    public string? Json { get; init; }

    public bool Curl { get; init; }

    public string? Xds { get; init; }

    public string App { get; init; } = "fortio";

    /// <exception cref="FormatException">A flag is not known or has no such value; the message names it.</exception>
    public static LoadOptions Parse(IReadOnlyList<string> args)
    {
        var options = new LoadOptions(new Uri("http://none"));
        Uri? url = null;
        for (var i = args is ["load", ..] ? 1 : 0; i < args.Count; i++)
        {
            if (!args[i].StartsWith('-'))
            {
                url = url is null && Uri.TryCreate(args[i].Contains("://", StringComparison.Ordinal) ? args[i] : "http://" + args[i], UriKind.Absolute, out var parsed)
                    ? parsed
                    : throw new FormatException($"'{args[i]}' is one URL too many, or none.");
                continue;
            }

            // Go's flags: one dash or two, the value behind '=' or in the next word; those of booleans only behind '='.
            var flag = args[i].TrimStart('-');
            var equals = flag.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (flag, null) : (flag[..equals], flag[(equals + 1)..]);
            value ??= name is "curl" or "keepalive" ? "true" : ++i < args.Count ? args[i] : throw new FormatException($"-{name} wants a value.");
            options = options.With(name, value);
        }

        return options with { Url = url ?? throw new FormatException("There is no URL.") };
    }

    private LoadOptions With(string name, string value)
    {
        try
        {
            return name switch
            {
                "c" => this with { Connections = Positive(value) },
                "qps" => this with { Qps = Number(value) },
                "n" => this with { Exactly = int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture) },
                "t" => this with { Duration = GoDuration.Parse(value) },
                "H" => this with { Headers = [.. Headers, Header(value)] },
                "p" => this with { Percentiles = [.. value.Split(',').Select(Number)] },
                "r" => this with { Resolution = Number(value) is > 0 and var resolution ? resolution : throw new FormatException() },
                "timeout" => this with { Timeout = GoDuration.Parse(value) },
                "keepalive" => this with { KeepAlive = bool.Parse(value) },
                "loglevel" => this with { LogLevel = Enum.Parse<LoadLogLevel>(value, ignoreCase: true) },
                "json" => this with { Json = value },
                "curl" => this with { Curl = bool.Parse(value) },
                "xds" => this with { Xds = value },
                "app" => this with { App = value },
                _ => throw new FormatException($"There is no flag -{name}."),
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException && !e.Message.StartsWith("There is", StringComparison.Ordinal))
        {
            throw new FormatException($"-{name} cannot be '{value}'.", e);
        }
    }

    private static int Positive(string value)
        => int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture) is > 0 and var number ? number : throw new FormatException();

    private static double Number(string value)
        => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture) is >= 0 and var number ? number : throw new FormatException();

    private static (string Name, string Value) Header(string value)
        => value.Split(':', 2, StringSplitOptions.TrimEntries) is [{ Length: > 0 } name, var text] ? (name, text) : throw new FormatException();
}

/// <summary>What is said while the load is made.</summary>
public enum LoadLogLevel
{
    Info,
    Warning,
    Error,
}
