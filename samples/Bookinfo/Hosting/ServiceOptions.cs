namespace Bookinfo.Hosting;

/// <summary>What one service process is told.</summary>
internal sealed record ServiceOptions
{
    public required string Role { get; init; }

    /// <summary>The version: the label that subsets select by.</summary>
    public string Version { get; init; } = "v1";

    /// <summary>Where to listen; port 0 is any free one.</summary>
    public string Url { get; init; } = "http://127.0.0.1:0";

    /// <summary>The control plane.</summary>
    public string Xds { get; init; } = "http://127.0.0.1:15010";

    /// <summary>Where the control plane shows what it knows; port 0 is any free one.</summary>
    public string Monitoring { get; init; } = "http://127.0.0.1:15014";

    /// <summary>The folder of YAML (control plane only).</summary>
    public string? MeshFolder { get; init; }

    public bool Verbose { get; init; }

    /// <summary>Standard input is a pipe from the launcher: its end is the end of this process.</summary>
    public bool IsChild { get; init; }

    /// <exception cref="ArgumentException">Something in <paramref name="args"/> is unknown or lacks its value.</exception>
    public static ServiceOptions Parse(string role, IReadOnlyList<string> args)
    {
        var options = new ServiceOptions { Role = role };
        for (var index = 0; index < args.Count; index++)
        {
            string Value() => ++index < args.Count ? args[index] : throw new ArgumentException($"{args[^1]} needs a value.");

            options = args[index] switch
            {
                "--version" => options with { Version = Value() },
                "--url" => options with { Url = Value() },
                "--xds" => options with { Xds = Value() },
                "--monitoring" => options with { Monitoring = Value() },
                "--mesh" => options with { MeshFolder = Value() },
                "--verbose" => options with { Verbose = true },
                "--child" => options with { IsChild = true },
                var other => throw new ArgumentException($"'{other}' is no option of {role}: --version, --url, --xds, --monitoring, --mesh, --verbose."),
            };
        }

        return options;
    }
}
