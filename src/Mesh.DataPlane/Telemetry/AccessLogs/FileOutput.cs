using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// Lines to a file, at its end. When somebody has moved the file away or cut it off, the next lines go to a new one of the same name, so that
/// <c>logrotate</c> needs no signal; it can also keep to a size by itself.
/// </summary>
internal sealed class FileOutput(string path, FileRotation? rotation, LogQueueSettings settings, AccessLogCounts counts, TimeProvider time, ILogger logger)
    : LineOutput(path, settings, counts, time, logger)
{
    private FileStream? _file;
    private long _length;

    protected override async ValueTask WriteAsync(ReadOnlyMemory<byte> text, ReadOnlyMemory<int> ends, CancellationToken cancellationToken)
    {
        try
        {
            await ReopenIfMovedAsync().ConfigureAwait(false);
            if (rotation is null)
            {
                await AppendAsync(text, cancellationToken).ConfigureAwait(false);
                return;
            }

            // No line is torn in two by a change of files.
            for (var (start, next) = (0, 0); next < ends.Length;)
            {
                var end = ends.Span[next++];
                while (next < ends.Length && _length + (ends.Span[next] - start) <= rotation.MaxBytes)
                {
                    end = ends.Span[next++];
                }

                if (_length > 0 && _length + (end - start) > rotation.MaxBytes)
                {
                    await RotateAsync().ConfigureAwait(false);
                }

                await AppendAsync(text[start..end], cancellationToken).ConfigureAwait(false);
                start = end;
            }
        }
        catch
        {
            await CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    protected override async ValueTask CloseAsync()
    {
        if (_file is { } file)
        {
            _file = null;
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task AppendAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        var file = _file ??= Open();
        await file.WriteAsync(text, cancellationToken).ConfigureAwait(false);
        _length += text.Length;
    }

    private async Task ReopenIfMovedAsync()
    {
        if (_file is not null)
        {
            var there = new FileInfo(Name);
            if (!there.Exists || there.Length < _length)
            {
                await CloseAsync().ConfigureAwait(false);
            }
        }

        _file ??= Open();
    }

    private FileStream Open()
    {
        if (Path.GetDirectoryName(Name) is { Length: > 0 } directory)
        {
            Directory.CreateDirectory(directory);
        }

        // Others may read it, move it away and delete it meanwhile, and append to it as well.
        var file = new FileStream(Name, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        _length = file.Length;
        return file;
    }

    // access.log becomes access.log.1, that one access.log.2, and the last one goes.
    private async Task RotateAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        File.Delete($"{Name}.{rotation!.MaxFiles - 1}");
        for (var i = rotation.MaxFiles - 2; i > 0; i--)
        {
            if (File.Exists($"{Name}.{i}"))
            {
                File.Move($"{Name}.{i}", $"{Name}.{i + 1}", overwrite: true);
            }
        }

        if (rotation.MaxFiles > 1)
        {
            File.Move(Name, $"{Name}.1", overwrite: true);
        }
        else
        {
            File.Delete(Name);
        }
    }
}
