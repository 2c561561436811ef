/**
 * Works on all items, so many at a time. After the first failure no further item is begun; those at work are waited for, so
 * that nothing goes on behind the caller's back.
 * @throws the first failure
 */
export async function inPool<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    while (failures.length === 0 && queue.length > 0) {
      await work(queue.shift() as T).catch((error) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, queue.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
