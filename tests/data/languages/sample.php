<?php
declare(strict_types=1);
namespace App\Http;

use App\Model\User;
use App\Support\{Arr, Str as Text};
use function App\helper;
require_once 'boot.php';

const LIMIT = 10;
define('MODE', 'test');

/** A controller. */
#[Route('/users')]
final class UserController extends Controller implements Listing
{
    use Loggable;
    public const PAGE = 20;
    private static ?User $current = null;

    public function __construct(private Repository $users, int $size = LIMIT) { }

    public function show(int $id): ?User
    {
        $local = Text::slug("a");
        return $this->users->find($id) ?? helper(new Query($id));
    }

    public static function make(): static { return new static(); }
}

interface Listing { public function rows(): array; }
trait Loggable { protected $log; function log(string $m) { echo $m; } }
enum Suit: string { case Hearts = 'H'; public function color(): string { return 'Red'; } }

function boot(array $config): void { $f = fn($x) => $x + 1; UserController::make(); }
