namespace Mesh;

/// <summary>Access logs of this process: the one that its own settings ask for, and what a control plane may do about others. The section <c>Mesh:AccessLog</c>.</summary>
public sealed class MeshAccessLogOptions
{
    /// <summary>Where entries of the application's own access log go, whatever the control plane says.</summary>
    /// <value>The default value is <see cref="MeshAccessLogSink.None"/>: only what the control plane asks for is logged.</value>
    public MeshAccessLogSink Sink { get; set; }

    /// <summary>The file, with <see cref="MeshAccessLogSink.File"/>.</summary>
    /// <value>Unset by default.</value>
    public string? Path { get; set; }

    /// <summary>The size in bytes from which on the next file is begun; the older ones get <c>.1</c>, <c>.2</c>, … behind their names.</summary>
    /// <value>The default value is 100 MiB.</value>
    public long MaxFileSize { get; set; } = 100 * 1024 * 1024;

    /// <summary>How many files there are at most, the one that is written included.</summary>
    /// <value>The default value is 5.</value>
    public int MaxFiles { get; set; } = 5;

    /// <summary>Whether an entry is a line of text or an object of JSON.</summary>
    /// <value>The default value is <see cref="MeshAccessLogEncoding.Text"/>.</value>
    public MeshAccessLogEncoding Encoding { get; set; }

    /// <summary>Envoy's format string of an entry of text, with its <c>%COMMANDS%</c>. A line's end is added where it has none.</summary>
    /// <value>Unset by default, which stands for Envoy's default format.</value>
    public string? Format { get; set; }

    /// <summary>The properties of an entry of JSON, each a format string; one that is a single command keeps the type of its value.</summary>
    /// <value>Empty by default, which stands for what Envoy's default format tells, under Istio's names.</value>
    public IDictionary<string, string> JsonFormat { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Properties without a value are left out, and so is the <c>-</c> of text.</summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool OmitEmptyValues { get; set; }

    /// <summary>Which requests are logged, as an expression of CEL over Envoy's attributes: <c>response.code &gt;= 400</c>.</summary>
    /// <value>Unset by default: all of them.</value>
    public string? Filter { get; set; }

    /// <summary>The directory below which a control plane may have files written; relative paths are taken from there.</summary>
    /// <value>Unset by default: there is none, and of what a control plane asks for only standard output and standard error are written.</value>
    public string? Directory { get; set; }

    /// <summary>How long a line waits for others at most until it is written.</summary>
    /// <value>The default value is one second.</value>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many bytes of entries may wait for one output; those beyond are dropped and counted.</summary>
    /// <value>The default value is 8 MiB.</value>
    public long MaxBufferedBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>How long a process that ends waits for what is still to be written or sent.</summary>
    /// <value>The default value is 5 seconds.</value>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
